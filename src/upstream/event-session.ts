import type { EventSource } from "../core/ports.ts";
import type { Signer } from "./settings.ts";
import { ConnectionCookies } from "./webhooks/cookies.ts";
import { type ConnectionHeaders, connectionHeaders } from "./webhooks/headers.ts";
import { createLane } from "./webhooks/notifications.ts";

/** What the upstream remembers of one logical connection. Made with its first event that some handler wants. */
export class EventSession {
  /** Null: no handler ever set one. */
  connectionState: string | null = null;
  /** The tunnel server that got the connection's first tunnelled event, and so gets them all (T-32). */
  tunnelServer: string | null = null;
  readonly lane = createLane();
  #cookies: ConnectionCookies | null = null;
  #headers: ConnectionHeaders | null = null;
  #builtFrom: HeaderInputs | null = null;

  /** The session in the source's slot, put there if there is none. */
  static of(source: EventSource): EventSession {
    if (source.upstreamSession instanceof EventSession) return source.upstreamSession;
    const session = new EventSession();
    source.upstreamSession = session;
    return session;
  }

  storeCookies(lines: readonly string[], url: string): void {
    if (lines.length === 0) return;
    this.#cookies ??= new ConnectionCookies();
    this.#cookies.store(lines, url);
  }

  cookieHeader(url: string): string | null {
    return this.#cookies === null ? null : this.#cookies.header(url);
  }

  /**
   * The headers all events of the connection share; null if they cannot be sent. Rebuilt when the user or the subprotocol
   * changed, which the connect event can do, or the keys were rotated (E-25).
   */
  headers(source: EventSource, inputs: Omit<HeaderInputs, "userId" | "subprotocol">): ConnectionHeaders | null {
    const { userId, subprotocol } = source;
    const { origin, signer, userAgent } = inputs;
    const built = this.#builtFrom;
    const isCurrent =
      built !== null &&
      built.userId === userId &&
      built.subprotocol === subprotocol &&
      built.origin === origin &&
      built.signer === signer;
    if (isCurrent) return this.#headers;
    this.#builtFrom = { userId, subprotocol, origin, signer, userAgent };
    this.#headers = connectionHeaders(source, { origin, signature: signer(source.id), userAgent });
    return this.#headers;
  }
}

interface HeaderInputs {
  readonly userId: string | null;
  readonly subprotocol: string | null;
  readonly origin: string;
  readonly signer: Signer;
  readonly userAgent: string;
}
