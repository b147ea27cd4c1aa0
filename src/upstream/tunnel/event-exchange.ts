import type { Scheduler } from "../../core/ports.ts";
import type { TunnelRequest, TunnelResponse } from "../../tunnel/messages.ts";
import type { BodyRule, ExchangeEvents, Pool, WireRequest } from "../webhooks/target.ts";
import { tunnelHref } from "../webhooks/url-template.ts";
import type { Affinity } from "./event-target.ts";

/** Takes an exchange back that is not wanted any more; called at most once. */
export type Withdraw = () => void;

/** Whose events these are. */
interface EventAddress {
  readonly hub: string;
  readonly affinity: Affinity;
}

const empty = new Uint8Array(0);
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What can stand in a header; beyond ASCII as Latin-1 characters, as HTTP libraries hand it on. */
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * One event request through a tunnel, from the queue to the last part of its answer. What it tells `events` is what an
 * exchange over HTTP would: a lost tunnel is a broken connection, no tunnel is a refused one.
 */
export class EventExchange {
  readonly address: EventAddress;
  readonly pool: Pool;
  /** The socket it was sent on. */
  socketId: string | null = null;
  readonly #wire: WireRequest;
  readonly #events: ExchangeEvents;
  readonly #scheduler: Scheduler;
  #withdraw: Withdraw | null = null;
  #isOver = false;
  #head: { readonly status: number; readonly rawHeaders: readonly string[]; readonly rule: BodyRule } | null = null;
  #parts: Uint8Array[] = [];
  #size = 0;
  #cancelTimer: (() => void) | null = null;

  constructor(
    address: EventAddress,
    wire: WireRequest,
    { events, scheduler }: { readonly events: ExchangeEvents; readonly scheduler: Scheduler },
  ) {
    this.address = address;
    this.pool = wire.pool;
    this.#wire = wire;
    this.#events = events;
    this.#scheduler = scheduler;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Where it is now, in a queue or at a socket. */
  held(withdraw: Withdraw): void {
    this.#withdraw = withdraw;
  }

  /** The message that asks for it. `Host`, `Content-Length` and the like are not part of it (T-11). */
  request(ackId: number): TunnelRequest {
    const { method, path, headers, body } = this.#wire;
    return {
      type: "request",
      ackId,
      method,
      url: tunnelHref + path,
      headers,
      routing: { local: false, channel: "" },
      body: typeof body === "string" ? Buffer.from(body) : (body ?? empty),
    };
  }

  sent(socketId: string): void {
    this.socketId = socketId;
    if (!this.#isOver) this.#events.sent();
  }

  /** Takes the answer or a part of it; the first part decides about status, headers and how much is read (T-13). */
  answered({ status, headers, body, isPartial }: TunnelResponse): void {
    if (this.#isOver) return;
    if (this.#head === null && !this.#begin(status, headers, isPartial)) return;
    this.#size += body.length;
    this.#parts.push(body);
    const rule = this.#head?.rule;
    if (rule !== undefined && this.#size > rule.maxBytes) {
      this.#giveUp("invalidReply", `the body is bigger than ${rule.maxBytes} bytes`);
    } else if (!isPartial) this.#finish(this.#parts.length === 1 ? body : Buffer.concat(this.#parts));
  }

  /** There is no way to the application, or it is gone; a later attempt may find one. */
  failed(detail: string): void {
    if (this.#head === null) this.#end({ kind: "failed", cause: "network", detail, isStale: false });
    else this.#giveUp("network", detail);
  }

  /** Nobody waits for it any more. */
  abort(): void {
    this.#close();
  }

  #begin(status: number, headers: readonly string[], isPartial: boolean): boolean {
    const isUsable = status >= 200 && status <= 599 && headers.every((text, at) => isHeaderText(text, at));
    if (!isUsable) {
      const detail = "the status or a header of the answer is invalid";
      this.#end({ kind: "failed", cause: "invalidReply", detail, isStale: false });
      return false;
    }
    const rule = this.#events.head(status, headers);
    this.#head = { status, rawHeaders: headers, rule };
    if (isPartial) {
      const late = () => this.#giveUp("timeout", "the body took too long");
      this.#cancelTimer = this.#scheduler.after(rule.timeoutMs, late);
    }
    return true;
  }

  #giveUp(cause: "timeout" | "network" | "invalidReply", detail: string): void {
    if (this.#head?.rule.isNeeded === false) this.#finish(empty);
    else this.#end({ kind: "failed", cause, detail, isStale: false });
  }

  #finish(body: Uint8Array): void {
    if (this.#head === null) return;
    const { status, rawHeaders } = this.#head;
    this.#end({ kind: "reply", status, rawHeaders, body });
  }

  #end(result: Parameters<ExchangeEvents["done"]>[0]): void {
    if (this.#isOver) return;
    this.#close();
    this.#events.done(result);
  }

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTimer?.();
    this.#parts = [];
    this.#withdraw?.();
    this.#withdraw = null;
  }
}

/** Names stand at even places. */
function isHeaderText(text: string, at: number): boolean {
  return (at % 2 === 0 ? token : headerValue).test(text);
}
