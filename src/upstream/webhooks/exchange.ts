import http, { type ClientRequest, type IncomingMessage } from "node:http";
import https from "node:https";
import type { Scheduler } from "../../core/ports.ts";
import type { Pool, Target } from "./agents.ts";
import { targetRefusedCode } from "./target-policy.ts";

/** One request on the wire. */
export interface WireRequest {
  readonly target: Target;
  readonly pool: Pool;
  readonly method: "POST" | "OPTIONS" | "GET";
  readonly path: string;
  /** `[name, value, …]`, sent in this order and casing; without `Host` and `Content-Length`. */
  readonly headers: readonly string[];
  /** A string must only be used with ASCII headers: the runtime writes both in one piece, encoded as UTF-8. */
  readonly body: string | Uint8Array | null;
  readonly bodyBytes: number;
}

/** How much of a reply's body is read. */
export interface BodyRule {
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** True: a body that is cut, late or too big is a failure; false: the status counts and such a body is left out. */
  readonly isNeeded: boolean;
}

export interface WireReply {
  readonly kind: "reply";
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
}

/** Why there is no usable reply. `refused`: by the target policy; `network` is what a retry may help against. */
export type FailureCause = "timeout" | "aborted" | "network" | "refused" | "invalidReply" | "invalidRequest";

export interface WireFailure {
  readonly kind: "failed";
  readonly cause: FailureCause;
  readonly detail: string;
  /** A kept-alive socket had been closed by the peer: the request may be sent again at once on a fresh one. */
  readonly isStale: boolean;
}

/** What happens to an exchange, in this order; nothing after `done` and nothing after `abort`. */
export interface ExchangeEvents {
  /** The request is written. */
  sent(): void;
  /** The headers of the final reply are in; decides about the body. */
  head(status: number, rawHeaders: readonly string[]): BodyRule;
  done(result: WireReply | WireFailure): void;
}

/** The runtime's limit of 16 KiB is below what we accept (event-handlers 8.5). */
const maxHeaderBytes = 65_536;
const empty = new Uint8Array(0);

/** Sends one request and reads its reply; returns the function that cuts it. Never throws. */
export function startExchange(scheduler: Scheduler, request: WireRequest, events: ExchangeEvents): () => void {
  const exchange = new Exchange(scheduler, events);
  exchange.start(request);
  return () => exchange.abort();
}

class Exchange {
  readonly #scheduler: Scheduler;
  readonly #events: ExchangeEvents;
  #request: ClientRequest | null = null;
  #hasReply = false;
  #isOver = false;
  #cancelTimer: (() => void) | null = null;

  constructor(scheduler: Scheduler, events: ExchangeEvents) {
    this.#scheduler = scheduler;
    this.#events = events;
  }

  start(wire: WireRequest): void {
    const { origin, agents } = wire.target;
    const headers = ["Host", origin.host, ...wire.headers];
    if (wire.body !== null) headers.push("Content-Length", String(wire.bodyBytes));
    let request: ClientRequest;
    try {
      request = (origin.isSecure ? https : http).request({
        agent: agents[wire.pool],
        host: origin.hostname,
        port: origin.port,
        method: wire.method,
        path: wire.path,
        headers,
        setHost: false,
        maxHeaderSize: maxHeaderBytes,
      });
    } catch (error) {
      // The runtime throws on characters that cannot stand in a request; ours are checked before, so this is the net below.
      this.#fail("invalidRequest", error instanceof Error ? error.message : "");
      return;
    }
    this.#request = request;
    request.on("error", (error: NodeJS.ErrnoException) => this.#failed(error));
    request.on("response", (reply) => this.#read(reply));
    request.on("upgrade", () => this.#cut("invalidReply", "the reply switches protocols"));
    // A request that ends without reply and without error, which a switch of protocols can do.
    request.on("close", () => {
      if (!this.#hasReply) this.#fail("network", "the connection was closed");
    });
    request.on("finish", () => {
      if (!this.#isOver) this.#events.sent();
    });
    if (wire.body === null) request.end();
    else request.end(wire.body);
  }

  abort(): void {
    this.#isOver = true;
    this.#cancelTimer?.();
    this.#request?.destroy();
  }

  #read(reply: IncomingMessage): void {
    if (this.#isOver) return;
    this.#hasReply = true;
    const status = reply.statusCode ?? 0;
    const { rawHeaders } = reply;
    const rule = this.#events.head(status, rawHeaders);
    const chunks: Uint8Array[] = [];
    let size = 0;
    const finish = (body: Uint8Array) => this.#done({ kind: "reply", status, rawHeaders, body });
    const giveUp = (cause: FailureCause, detail: string) => {
      if (this.#isOver) return;
      if (rule.isNeeded) this.#cut(cause, detail);
      else {
        finish(empty);
        this.#request?.destroy();
      }
    };
    this.#cancelTimer = this.#scheduler.after(rule.timeoutMs, () => giveUp("timeout", "the body took too long"));
    reply.on("data", (chunk: Uint8Array) => {
      size += chunk.length;
      if (size > rule.maxBytes) giveUp("invalidReply", `the body is bigger than ${rule.maxBytes} bytes`);
      else chunks.push(chunk);
    });
    reply.on("end", () => finish(chunks.length === 1 ? (chunks[0] ?? empty) : Buffer.concat(chunks)));
    reply.on("error", () => giveUp("network", "the connection was closed within the body"));
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (error.code === targetRefusedCode) this.#fail("refused", error.message);
    else this.#fail("network", error.code ?? error.message, this.#request?.reusedSocket === true);
  }

  #cut(cause: FailureCause, detail: string): void {
    this.#fail(cause, detail);
    this.#request?.destroy();
  }

  #fail(cause: FailureCause, detail: string, isStale = false): void {
    this.#done({ kind: "failed", cause, detail, isStale });
  }

  #done(result: WireReply | WireFailure): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTimer?.();
    this.#events.done(result);
  }
}
