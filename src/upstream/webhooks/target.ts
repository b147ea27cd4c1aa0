import type { TargetOrigin } from "./target-origin.ts";

/** Blocking requests and notifications have sockets of their own: a hanging `connected` must not delay clients (E-48). */
export type Pool = "blocking" | "notifications";

/** Where requests go, and how they get there. */
export interface Target {
  /** What stands in front of the path in URLs that are reported. */
  readonly href: string;
  /** Null: nothing that redirects could lead away from. */
  readonly origin: TargetOrigin | null;
  /** Why the host must not be called, null if it may. */
  readonly refusal: string | null;
  readonly exchange: StartExchange;
  /** The target for the same handler at another origin, for redirects. */
  at(origin: TargetOrigin): Target;
}

/** One request on the wire. */
export interface WireRequest {
  readonly pool: Pool;
  readonly method: "POST" | "OPTIONS" | "GET";
  readonly path: string;
  /** `[name, value, …]`, sent in this order and casing; without `Host` and `Content-Length`. */
  readonly headers: readonly string[];
  /** A string takes ASCII headers only: both are written in one piece, encoded as UTF-8. */
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

/**
 * Sends one request and reads its reply; returns the function that cuts it. Never throws. A failure that may be tried again
 * is reported only after it returned.
 */
export type StartExchange = (request: WireRequest, events: ExchangeEvents) => () => void;
