import { randomUUID } from "node:crypto";
import type { AccessKey } from "../../auth/access-keys.ts";
import type { TunnelMessage, TunnelRequest } from "../../tunnel/messages.ts";
import type { Forwarded } from "./forward.ts";
import { type Link, type LinkEnd, openLink } from "./link.ts";

export interface TunnelClientOptions {
  /** Base URL of the service. */
  readonly endpoint: string;
  readonly hub: string;
  readonly key: AccessKey;
  /** Answers a request. Must not reject. */
  handle(request: TunnelRequest): Promise<Forwarded>;
  /** A connection is there; the first one, or again. */
  opened(connectionId: string, endpoint: string): void;
  /** A connection was lost, or could not be had back; the next attempt comes after this time. */
  lost(end: LinkEnd, retryMs: number): void;
  /** The service says something. */
  told(text: string): void;
  /** The service told the last connection not to come back. */
  ended(text: string): void;
}

/** Where one of the connections goes. */
interface Place {
  readonly endpoint: string;
  readonly targetId: string | null;
}

/** A connection that is kept up until the service or the user ends it. */
interface Kept {
  readonly place: Place;
  link: Link | null;
  isRetired: boolean;
  failures: number;
  cancelRetry: (() => void) | null;
}

const firstRetryMs = 1000;
const maxRetryMs = 30_000;
/** Connections the service may ask for. Ours. */
const maxConnections = 16;

/**
 * The application's side of the tunnel protocol: keeps one connection to the service, or as many as the service asks
 * for, and answers the requests that come over them.
 *
 * The first connection has to come about; after that, lost ones are had back after 1, 2, 4 … 30 s, for ever, whatever
 * the reason. Requests run side by side. Messages 6, 7 and 8 move, end and add connections (T-30).
 */
export class TunnelClient {
  readonly #options: TunnelClientOptions;
  readonly #serverId = randomUUID();
  readonly #kept = new Set<Kept>();
  #running = 0;
  #isStopping = false;
  #onIdle: (() => void) | null = null;

  constructor(options: TunnelClientOptions) {
    this.#options = options;
  }

  /** Resolves with null when the first connection is there, otherwise with why it is not; then nothing goes on. */
  start(): Promise<LinkEnd | null> {
    return new Promise((resolve) => {
      this.#keep({ endpoint: this.#options.endpoint, targetId: null }, resolve);
    });
  }

  /** Takes no new requests, waits for running ones until the deadline, and closes. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadlineMs);
        this.#onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    for (const kept of this.#kept) this.#retire(kept);
  }

  #keep(place: Place, first: ((end: LinkEnd | null) => void) | null): void {
    const kept: Kept = { place, link: null, isRetired: false, failures: 0, cancelRetry: null };
    this.#kept.add(kept);
    this.#connect(kept, first);
  }

  #connect(kept: Kept, first: ((end: LinkEnd | null) => void) | null): void {
    const { hub, key } = this.#options;
    let isFirst = first !== null;
    const link = openLink(
      { ...kept.place, hub, key, serverId: this.#serverId },
      {
        opened: (connectionId) => {
          kept.failures = 0;
          this.#options.opened(connectionId, kept.place.endpoint);
          isFirst = false;
          first?.(null);
        },
        message: (message) => this.#message(kept, message),
        closed: (end) => {
          kept.link = null;
          if (isFirst) kept.isRetired = true;
          if (kept.isRetired) this.#kept.delete(kept);
          else this.#retry(kept, end);
          if (isFirst) first?.(end);
        },
      },
    );
    kept.link = link;
  }

  #retry(kept: Kept, end: LinkEnd): void {
    const fullMs = Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(kept.failures, 10));
    kept.failures += 1;
    // Many clients of one service must not come back at the same moment.
    const retryMs = Math.round(fullMs * (0.75 + Math.random() / 4));
    this.#options.lost(end, retryMs);
    const timer = setTimeout(() => {
      kept.cancelRetry = null;
      this.#connect(kept, null);
    }, retryMs);
    kept.cancelRetry = () => clearTimeout(timer);
  }

  #retire(kept: Kept): void {
    kept.isRetired = true;
    kept.cancelRetry?.();
    kept.link?.close();
    if (kept.link === null) this.#kept.delete(kept);
  }

  #message(kept: Kept, message: TunnelMessage): void {
    switch (message.type) {
      case "request":
        if (!this.#isStopping) void this.#answer(kept, message);
        return;
      case "status":
        this.#options.told(message.text);
        return;
      case "reconnect":
      case "rebalance": {
        const place = this.#placeOf(message);
        if (place === null || this.#isStopping) return;
        this.#options.told(message.text);
        if (message.type === "reconnect") this.#retire(kept);
        else if (this.#kept.size >= maxConnections) return;
        this.#keep(place, null);
        return;
      }
      case "close":
        this.#retire(kept);
        if ([...this.#kept].every(({ isRetired }) => isRetired)) this.#options.ended(message.text);
        return;
      case "connected":
      case "response":
        return; // nothing that we asked for
    }
  }

  #placeOf({ endpoint, targetId }: Extract<TunnelMessage, { type: "reconnect" | "rebalance" }>): Place | null {
    if (endpoint === null || endpoint === "") return { endpoint: this.#options.endpoint, targetId };
    const isUsable = URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol);
    if (!isUsable) this.#options.told("The service asked for a connection to a place that is no URL.");
    return isUsable ? { endpoint, targetId } : null;
  }

  async #answer(kept: Kept, request: TunnelRequest): Promise<void> {
    this.#running += 1;
    const { status, headers, body } = await this.#options.handle(request);
    const { ackId, routing } = request;
    kept.link?.send({ type: "response", ackId, status, headers, routing, isPartial: false, body });
    this.#running -= 1;
    if (this.#running === 0) this.#onIdle?.();
  }
}
