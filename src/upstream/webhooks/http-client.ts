import type { CancelSignal } from "../../core/cancellation.ts";
import type { Clock, Scheduler } from "../../core/ports.ts";
import { decodeContent } from "./content-decoding.ts";
import type { Authenticator } from "./handler-auth.ts";
import { type ReplyHeaders, readReplyHeaders } from "./reply-headers.ts";
import type { BodyRule, FailureCause, Pool, Target, WireFailure, WireReply } from "./target.ts";
import { type TargetOrigin, targetOrigin } from "./target-origin.ts";

/** A request with everything that is tried to get it answered. */
export interface HttpCall {
  readonly method: "POST" | "OPTIONS" | "GET";
  readonly target: Target;
  readonly path: string;
  /** `[name, value, …]`; see `WireRequest`. */
  readonly headers: readonly string[];
  readonly body: string | Uint8Array | null;
  readonly bodyBytes: number;
  readonly pool: Pool;
  readonly authenticator: Authenticator | null;
  /** Whether the body of a 2xx reply matters; of other replies a small body is kept if it comes quickly. */
  readonly needsBody: boolean;
  readonly maxResponseBytes: number;
  /** From now to the headers of the final reply, all attempts together; and again for its body. */
  readonly timeoutMs: number;
  readonly retryDelaysMs: readonly number[];
  readonly followsRedirects: boolean;
  readonly signal: CancelSignal | null;
  /** The first attempt was written, or ended without. Called once. */
  readonly onSent: (() => void) | null;
  /** Called for every attempt except the one whose 2xx reply is the result. */
  readonly onAttempt: ((result: HttpReply | HttpFailure) => void) | null;
}

export interface HttpReply {
  readonly kind: "reply";
  readonly status: number;
  readonly headers: ReplyHeaders;
  /** Decoded. */
  readonly body: Uint8Array;
  /** URL that answered, after redirects. */
  readonly url: string;
  readonly durationMs: number;
}

export interface HttpFailure {
  readonly kind: "failed";
  readonly cause: FailureCause;
  readonly detail: string;
  readonly durationMs: number;
}

export interface HttpClient {
  /** Resolves with the last attempt's result; never rejects. Aborting the signal resolves at once with `aborted`. */
  call(call: HttpCall): Promise<HttpReply | HttpFailure>;
  /** Ends all calls under way, as their signals would. */
  abortAll(): void;
}

interface ClientParts {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** Ours: error bodies are not used beyond 8 KiB, but a short one is read so that the socket can be kept. */
const errorBody = { maxBytes: 65_536, timeoutMs: 5000 } as const;
const maxRedirects = 5;

/**
 * Creates a client. It never asks for a compressed reply, never follows a redirect to another host
 * and reads no environment; a reused socket that turns out closed costs no attempt.
 * @spec E-67 E-68 E-69 E-70 H-37
 */
export function createHttpClient(parts: ClientParts): HttpClient {
  const active = new Set<Attempts>();
  return {
    call: (call) =>
      new Promise((resolve) => {
        const attempts = new Attempts(parts, call, (result) => {
          active.delete(attempts);
          resolve(result);
        });
        active.add(attempts);
        attempts.start();
      }),
    abortAll() {
      for (const attempts of active) attempts.abort();
    },
  };
}

class Attempts {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #call: HttpCall;
  readonly #resolve: (result: HttpReply | HttpFailure) => void;
  #target: Target;
  #path: string;
  #retries = 0;
  #redirects = 0;
  #wasResent = false;
  #wasRefreshed = false;
  #isSentKnown = false;
  #isOver = false;
  #authorization: string | null = null;
  #startedAt = 0;
  #cancelTimer: (() => void) | null = null;
  #cancelExchange: (() => void) | null = null;

  constructor(parts: ClientParts, call: HttpCall, resolve: (result: HttpReply | HttpFailure) => void) {
    this.#clock = parts.clock;
    this.#scheduler = parts.scheduler;
    this.#call = call;
    this.#resolve = resolve;
    this.#target = call.target;
    this.#path = call.path;
  }

  start(): void {
    const { signal, timeoutMs } = this.#call;
    this.#startedAt = this.#clock.now();
    if (signal?.aborted === true) {
      this.abort();
      return;
    }
    signal?.addEventListener("abort", this.abort);
    this.#cancelTimer = this.#scheduler.after(timeoutMs, () => this.#cut("timeout", "no answer in time"));
    this.#attempt();
  }

  readonly abort = (): void => this.#cut("aborted", "the client is gone");

  #attempt(): void {
    this.#startedAt = this.#clock.now();
    const { refusal } = this.#target;
    if (refusal !== null) {
      this.#attemptDone({ kind: "failed", cause: "refused", detail: refusal, isStale: false });
      return;
    }
    const authorization = this.#call.authenticator?.authorization() ?? null;
    if (authorization === null || typeof authorization === "string") {
      this.#send(authorization);
      return;
    }
    void authorization.then((value) => {
      if (this.#isOver) return;
      if (value === null) {
        // Counts as a network error (event-handlers 2.5).
        this.#attemptDone({ kind: "failed", cause: "network", detail: "no access token could be had", isStale: false });
      } else this.#send(value);
    });
  }

  #send(authorization: string | null): void {
    const { method, pool, headers, body, bodyBytes } = this.#call;
    this.#authorization = authorization;
    const wire = {
      pool,
      method,
      path: this.#path,
      headers: authorization === null ? headers : [...headers, "Authorization", authorization],
      body,
      bodyBytes,
    };
    this.#cancelExchange = this.#target.exchange(wire, {
      sent: () => this.#sent(),
      head: (status, rawHeaders) => this.#bodyRule(status, rawHeaders),
      done: (result) => this.#attemptDone(result),
    });
  }

  #sent(): void {
    if (this.#isSentKnown) return;
    this.#isSentKnown = true;
    this.#call.onSent?.();
  }

  #bodyRule(status: number, rawHeaders: readonly string[]): BodyRule {
    if (this.#next(status, rawHeaders) === "none") {
      this.#cancelTimer?.();
      this.#cancelTimer = null;
    }
    const { needsBody, maxResponseBytes, timeoutMs } = this.#call;
    if (needsBody && isSuccess(status)) return { maxBytes: maxResponseBytes, timeoutMs, isNeeded: true };
    return {
      maxBytes: Math.min(errorBody.maxBytes, maxResponseBytes),
      timeoutMs: Math.min(errorBody.timeoutMs, timeoutMs),
      isNeeded: false,
    };
  }

  /** What follows a reply with this status. */
  #next(status: number, rawHeaders: readonly string[]): "none" | "retry" | "refresh" | "redirect" {
    if (isSuccess(status)) return "none";
    if (status === 408 || (status >= 500 && status <= 599)) return this.#hasRetry() ? "retry" : "none"; // E-67
    if (status === 401 && !this.#wasRefreshed && this.#call.authenticator?.canRefresh === true) return "refresh";
    const isRedirect = (status === 307 || status === 308) && this.#call.followsRedirects;
    if (isRedirect && this.#redirects < maxRedirects && this.#redirectTarget(rawHeaders) !== null) return "redirect";
    return "none";
  }

  #hasRetry(): boolean {
    return this.#retries < this.#call.retryDelaysMs.length;
  }

  #attemptDone(result: WireReply | WireFailure): void {
    this.#cancelExchange = null;
    this.#sent();
    if (result.kind === "failed") {
      this.#attemptFailed(result);
      return;
    }
    const next = this.#next(result.status, result.rawHeaders);
    const headers = readReplyHeaders(result.rawHeaders);
    const url = this.#target.href + this.#path;
    const reply: HttpReply = {
      kind: "reply",
      status: result.status,
      headers,
      body: result.body,
      url,
      durationMs: this.#clock.now() - this.#startedAt,
    };
    if (next === "none") {
      this.#decode(reply);
      return;
    }
    this.#call.onAttempt?.(reply);
    switch (next) {
      case "retry":
        this.#retryLater();
        return;
      case "refresh":
        this.#wasRefreshed = true;
        this.#call.authenticator?.reject(this.#authorization ?? "");
        this.#attempt();
        return;
      case "redirect":
        this.#redirects += 1;
        this.#follow(result.rawHeaders);
        this.#attempt();
        return;
    }
  }

  #attemptFailed(failure: WireFailure): void {
    if (failure.isStale && !this.#wasResent) {
      this.#wasResent = true;
      this.#attempt();
      return;
    }
    const result = this.#failure(failure.cause, failure.detail);
    if (failure.cause !== "network" || this.#cancelTimer === null || !this.#hasRetry()) {
      this.#finish(result);
      return;
    }
    this.#call.onAttempt?.(result);
    this.#retryLater();
  }

  #retryLater(): void {
    const delayMs = this.#call.retryDelaysMs[this.#retries] ?? 0;
    this.#retries += 1;
    this.#redirects = 0;
    this.#wasResent = false;
    this.#target = this.#call.target; // the same URL again, not where it redirected to
    this.#path = this.#call.path;
    this.#cancelExchange = this.#scheduler.after(delayMs, () => {
      this.#cancelExchange = null;
      this.#attempt();
    });
  }

  /** The same host, or the step from http to https on it: another host was never validated (E-69). */
  #redirectTarget(rawHeaders: readonly string[]): { readonly origin: TargetOrigin; readonly path: string } | null {
    const { location } = readReplyHeaders(rawHeaders);
    const here = this.#target.origin;
    if (location === null || here === null || !URL.canParse(location, here.href + this.#path)) return null;
    const url = new URL(location, here.href + this.#path);
    const origin = targetOrigin(url);
    if (origin === null || url.username !== "" || url.password !== "" || origin.hostname !== here.hostname) return null;
    const isUpgrade = origin.isSecure && !here.isSecure;
    if (!isUpgrade && origin.href !== here.href) return null;
    return { origin, path: url.pathname + url.search };
  }

  #follow(rawHeaders: readonly string[]): void {
    const redirect = this.#redirectTarget(rawHeaders);
    if (redirect === null) return;
    this.#target = this.#target.at(redirect.origin);
    this.#path = redirect.path;
  }

  #decode(reply: HttpReply): void {
    const { contentEncoding } = reply.headers;
    if (contentEncoding === null || reply.body.length === 0) {
      this.#finish(reply);
      return;
    }
    void decodeContent(reply.body, contentEncoding, this.#call.maxResponseBytes).then((body) => {
      if (body !== null) this.#finish({ ...reply, body });
      else if (!this.#call.needsBody || !isSuccess(reply.status)) this.#finish({ ...reply, body: new Uint8Array(0) });
      else this.#finish(this.#failure("invalidReply", "the body cannot be decoded or is too big"));
    });
  }

  #failure(cause: FailureCause, detail: string): HttpFailure {
    return { kind: "failed", cause, detail, durationMs: this.#clock.now() - this.#startedAt };
  }

  #cut(cause: "timeout" | "aborted", detail: string): void {
    this.#cancelExchange?.();
    this.#sent();
    this.#finish(this.#failure(cause, detail));
  }

  #finish(result: HttpReply | HttpFailure): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTimer?.();
    this.#call.signal?.removeEventListener("abort", this.abort);
    if (result.kind === "failed" || !isSuccess(result.status)) this.#call.onAttempt?.(result);
    this.#resolve(result);
  }
}

/** Whether a status is 2xx. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299;
}
