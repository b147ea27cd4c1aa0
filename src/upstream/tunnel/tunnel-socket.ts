import type { Frame } from "../../core/outbound.ts";
import type { FrameSink, SocketEvents } from "../../core/ports.ts";
import { decodeFrame, encodeFrame } from "../../tunnel/frames.ts";
import type { TunnelMessage, TunnelRequest } from "../../tunnel/messages.ts";
import type { Pool } from "../webhooks/target.ts";
import type { EventExchange } from "./event-exchange.ts";

/** What a socket is opened with. */
export interface TunnelSocketOptions {
  readonly id: string;
  /** Requests that may wait for their answers, read at each request; a quarter of them for notifications. */
  maxInFlight(): number;
  /** A sign of life. */
  heard(): void;
  /** A REST call of the application. */
  called(request: TunnelRequest): void;
  /** Its state allows more requests. */
  hasRoom(): void;
  /** What came cannot be understood; the socket is closing. */
  refused(detail: string): void;
  closed(code: number, reason: string): void;
}

const maxJsonBytes = 65_536; // specification: tunnel 12
/** Answers that may wait for an application that does not read them. Ours, twice the biggest frame it may send. */
const maxWaitingBytes = 33_554_432;
const maxAckId = 0x7fff_ffff;

/**
 * One tunnel socket: pairs requests and answers, and never holds more than a bounded amount for either side. Frames that
 * belong to nothing are ignored (T-20), what is no frame closes the socket (T-10).
 */
export class TunnelSocket implements SocketEvents {
  readonly id: string;
  readonly #options: TunnelSocketOptions;
  readonly #sink: FrameSink;
  readonly #pending = new Map<number, EventExchange>();
  readonly #inFlight: Record<Pool, number> = { blocking: 0, notifications: 0 };
  #outgoing: Frame[] = [];
  #outgoingBytes = 0;
  #lastAckId = 0;
  #isClosing = false;

  constructor(sink: FrameSink, options: TunnelSocketOptions) {
    this.#sink = sink;
    this.#options = options;
    this.id = options.id;
  }

  get inFlight(): number {
    return this.#pending.size;
  }

  /** Whether one more request of this kind may be sent now. */
  hasRoom(pool: Pool): boolean {
    const all = this.#options.maxInFlight();
    const notifications = Math.max(1, Math.floor(all / 4));
    const most = pool === "notifications" ? notifications : Math.max(1, all - notifications);
    return !this.#isClosing && this.#outgoing.length === 0 && this.#inFlight[pool] < most;
  }

  /** Sends a request; the caller has checked that there is room. */
  send(exchange: EventExchange): void {
    const ackId = this.#nextAckId();
    const { pool } = exchange;
    this.#pending.set(ackId, exchange);
    this.#inFlight[pool] += 1;
    exchange.held(() => {
      if (!this.#pending.delete(ackId)) return;
      this.#inFlight[pool] -= 1;
      this.#options.hasRoom();
    });
    this.write(exchange.request(ackId));
    exchange.sent(this.id);
  }

  write(message: TunnelMessage): void {
    const frame = encodeFrame(message);
    if (this.#outgoing.length === 0 && this.#sink.write([frame]) === 1) return;
    this.#outgoing.push(frame);
    this.#outgoingBytes += frame.length;
    if (this.#outgoingBytes > maxWaitingBytes) this.close(1008, "The outbound message queue is full.");
  }

  ping(): void {
    this.#sink.ping();
  }

  close(code: number, reason: string): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#sink.close(code, reason);
  }

  abort(): void {
    this.#isClosing = true;
    this.#sink.abort();
  }

  frame(frame: Frame): void {
    if (this.#isClosing) return;
    this.#options.heard();
    if (typeof frame === "string") {
      this.#refuse(1003, "The tunnel requires binary messages.");
      return;
    }
    const message = decodeFrame(frame, { maxJsonBytes });
    switch (message.type) {
      case "fault":
        this.#refuse(message.isTooLarge ? 1009 : 1007, `The message is not a tunnel frame: ${message.detail}.`);
        return;
      case "request":
        this.#options.called(message);
        return;
      case "response":
        this.#pending.get(message.ackId)?.answered(message);
        return;
      case "status":
      case "close":
      case "reconnect":
      case "rebalance":
      case "connected":
        this.#refuse(1007, "Only requests and responses are expected here.");
    }
  }

  drained(): void {
    const taken = this.#sink.write(this.#outgoing);
    for (const frame of this.#outgoing.splice(0, taken)) this.#outgoingBytes -= frame.length;
    if (this.#outgoing.length === 0) this.#options.hasRoom();
  }

  alive(): void {
    this.#options.heard();
  }

  closed(code: number, reason: string): void {
    this.#isClosing = true;
    this.#outgoing = [];
    this.#options.closed(code, reason);
    const lost = [...this.#pending.values()];
    for (const exchange of lost) exchange.failed(`the tunnel connection ${this.id} was closed`);
  }

  #refuse(code: number, reason: string): void {
    this.#options.refused(reason);
    this.close(code, reason.slice(0, 120));
  }

  #nextAckId(): number {
    do this.#lastAckId = this.#lastAckId >= maxAckId ? 1 : this.#lastAckId + 1;
    while (this.#pending.has(this.#lastAckId));
    return this.#lastAckId;
  }
}
