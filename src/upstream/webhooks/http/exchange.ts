import type { Scheduler } from "../../../core/ports.ts";
import type { BodyRule, ExchangeEvents, FailureCause, Pool, StartExchange, WireFailure, WireReply } from "../target.ts";
import type { TargetOrigin } from "../target-origin.ts";
import { targetRefusedCode } from "../target-policy.ts";
import { BodyBytes } from "./body-bytes.ts";
import type { Leave } from "./http-socket.ts";
import { ReplyParser, type ReplySink } from "./reply-parser.ts";
import { requestText } from "./request-text.ts";
import type { Passenger, SocketPool } from "./socket-pool.ts";

/** The way of requests to one origin over HTTP. */
export interface HttpWay {
  readonly scheduler: Scheduler;
  readonly origin: TargetOrigin;
  readonly pools: Readonly<Record<Pool, SocketPool>>;
}

const empty = new Uint8Array(0);

/** Exchanges requests over HTTP. */
export function httpExchange({ scheduler, origin, pools }: HttpWay): StartExchange {
  return (wire, events) => {
    const request = requestText(wire, origin.host);
    const exchange = new Exchange(request ?? "", events, scheduler);
    if (request === null) exchange.refused("invalid", "a part of the request cannot be sent");
    else pools[wire.pool].carry(exchange);
    return () => exchange.abort();
  };
}

class Exchange implements Passenger, ReplySink {
  readonly request: string | Uint8Array;
  readonly #events: ExchangeEvents;
  readonly #scheduler: Scheduler;
  readonly #parser = new ReplyParser(this);
  #leave: Leave | null = null;
  #isSent = false;
  #isOver = false;
  #cancelTimer: (() => void) | null = null;
  #reply: { readonly status: number; readonly rawHeaders: readonly string[]; readonly rule: BodyRule } | null = null;
  readonly #body = new BodyBytes();

  constructor(request: string | Uint8Array, events: ExchangeEvents, scheduler: Scheduler) {
    this.request = request;
    this.#events = events;
    this.#scheduler = scheduler;
  }

  abort(): void {
    this.#close(false);
  }

  held(leave: Leave): void {
    this.#leave = leave;
  }

  written(): void {
    if (this.#isOver || this.#isSent) return;
    this.#isSent = true;
    this.#events.sent();
  }

  received(bytes: Buffer): void {
    const progress = this.#parser.read(bytes);
    if (this.#isOver) return;
    if (progress === "complete") this.#finish(this.#body.all(), this.#parser.isReusable);
    else if (progress === "invalid") this.#fail("invalidReply", this.#parser.problem);
    else if (this.#reply !== null && this.#cancelTimer === null) {
      const late = () => this.#giveUp("timeout", "the body took too long");
      this.#cancelTimer = this.#scheduler.after(this.#reply.rule.timeoutMs, late);
    }
  }

  head(status: number, rawHeaders: readonly string[]): void {
    this.written(); // the reply may overtake the request
    if (!this.#isOver) this.#reply = { status, rawHeaders, rule: this.#events.head(status, rawHeaders) };
  }

  body(part: Uint8Array): void {
    if (this.#isOver || this.#reply === null) return;
    const { maxBytes } = this.#reply.rule;
    const isTooBig = this.#body.length + part.length > maxBytes;
    if (isTooBig) this.#giveUp("invalidReply", `the body is bigger than ${maxBytes} bytes`);
    else this.#body.add(part);
  }

  lost(error: NodeJS.ErrnoException | null, isStale: boolean): void {
    this.#leave = null;
    if (error === null && this.#parser.end() === "complete") this.#finish(this.#body.all(), false);
    else if (this.#reply !== null) this.#giveUp("network", "the connection was closed within the body");
    else if (error?.code === targetRefusedCode) this.#fail("refused", error.message);
    else this.#fail("network", error?.code ?? error?.message ?? "the connection was closed", isStale);
  }

  refused(cause: "invalid" | "full", detail: string): void {
    this.#fail(cause === "invalid" ? "invalidRequest" : "network", detail);
  }

  /** A body that nobody needs does not make a failure of a reply. */
  #giveUp(cause: FailureCause, detail: string): void {
    if (this.#reply?.rule.isNeeded === false) this.#finish(empty, false);
    else this.#fail(cause, detail);
  }

  #finish(body: Uint8Array, isReusable: boolean): void {
    if (this.#reply === null) return;
    const { status, rawHeaders } = this.#reply;
    this.#end({ kind: "reply", status, rawHeaders, body }, isReusable);
  }

  #fail(cause: FailureCause, detail: string, isStale = false): void {
    this.#end({ kind: "failed", cause, detail, isStale }, false);
  }

  #end(result: WireReply | WireFailure, isReusable: boolean): void {
    if (this.#isOver) return;
    this.#close(isReusable);
    this.#events.done(result);
  }

  /** The socket is free before anybody is told, who may want it for the next request. */
  #close(isReusable: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTimer?.();
    this.#leave?.(isReusable);
    this.#leave = null;
  }
}
