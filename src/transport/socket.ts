import type { ServerWebSocket } from "bun";
import { billedMessages } from "../core/billed-messages.ts";
import type { Frame } from "../core/outbound.ts";
import type { FrameSink, SocketEvents, UpgradeDecision } from "../core/ports.ts";

/** Where a socket reports its traffic, in bytes of payload; called on the hot path. */
export interface Traffic {
  inbound(bytes: number): void;
  /** `messages`: started 2 KiB of each frame, as the service counts messages (M-45). */
  outbound(bytes: number, messages: number): void;
}

type Accepted = Extract<UpgradeDecision, { accept: true }>;

const noFrames: readonly Frame[] = [];

const uncounted: Traffic = { inbound: () => undefined, outbound: () => undefined };

const tooLarge = { code: 1009, reason: "The client message is too large." } as const;

/** What the engine's own refusals are in the words of the protocol (client-protocols 11). */
const engineFaults: readonly (readonly [engine: RegExp, code: number, reason: string])[] = [
  [/too big/i, tooLarge.code, tooLarge.reason],
  [/UTF-8/i, 1007, "The client message is not valid UTF-8."],
  [/./, 1002, "The client frame is invalid."],
];

/**
 * One WebSocket of the runtime as a `FrameSink`. It is the socket's `data`, so an idle connection costs no further
 * object. The runtime's own buffer is never relied upon: once a send reports backpressure nothing more is written until
 * it drains, because beyond its limit the runtime would drop frames silently.
 */
export class Socket implements FrameSink {
  /** Forgotten once open: it holds on to the whole handshake. */
  #accepted: Accepted | null;
  readonly #traffic: Traffic;
  readonly #maxMessageBytes: number;
  #socket: ServerWebSocket<Socket> | null = null;
  #events: SocketEvents | null = null;
  #isFull = false;
  #batch: readonly Frame[] = noFrames;
  #taken = 0;

  constructor(accepted: Accepted, options: { readonly traffic: Traffic; readonly maxMessageBytes: number }) {
    this.#accepted = accepted;
    this.#traffic = accepted.serverSocket === undefined ? options.traffic : uncounted;
    this.#maxMessageBytes = accepted.serverSocket?.maxMessageBytes ?? options.maxMessageBytes;
  }

  get bufferedBytes(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  write(frames: readonly Frame[]): number {
    const socket = this.#socket;
    if (socket === null) return frames.length;
    if (this.#isFull) return 0;
    this.#batch = frames;
    this.#taken = 0;
    // A cork around one frame would cost more than it saves.
    if (frames.length === 1) this.#writeBatch(socket);
    else socket.cork(writeCorked);
    this.#batch = noFrames;
    return this.#taken;
  }

  ping(): void {
    this.#socket?.ping();
  }

  close(code: number, reason: string): void {
    this.#socket?.close(code, reason);
  }

  abort(): void {
    this.#socket?.terminate();
  }

  /** Called by the runtime's callbacks only. */
  opened(socket: ServerWebSocket<Socket>): void {
    this.#socket = socket;
    const accepted = this.#accepted;
    this.#accepted = null;
    this.#events = accepted?.open(this) ?? null;
  }

  message(frame: Frame): void {
    const bytes = typeof frame === "string" ? Buffer.byteLength(frame) : frame.length;
    this.#traffic.inbound(bytes);
    if (bytes > this.#maxMessageBytes) this.close(tooLarge.code, tooLarge.reason);
    else this.#events?.frame(frame);
  }

  alive(): void {
    this.#events?.alive();
  }

  drained(): void {
    // The runtime reports progress, not emptiness; waiting for the end keeps what it holds small.
    if (!this.#isFull || this.bufferedBytes > 0) return;
    this.#isFull = false;
    this.#events?.drained();
  }

  closed(code: number, reason: string): void {
    this.#socket = null;
    const events = this.#events;
    this.#events = null;
    const fault = code === 1006 && reason !== "" ? engineFaults.find(([engine]) => engine.test(reason)) : undefined;
    if (fault === undefined) events?.closed(code, reason);
    else events?.closed(fault[1], fault[2]);
  }

  #writeBatch(socket: ServerWebSocket<Socket>): void {
    let bytes = 0;
    let messages = 0;
    for (const frame of this.#batch) {
      const sent = socket.send(frame);
      if (sent === 0 && frame.length > 0) break; // closing: whatever is left has nowhere to go
      this.#taken += 1;
      const size = sent > 0 ? sent : frame.length;
      bytes += size;
      messages += billedMessages(size);
      if (sent === -1) {
        this.#isFull = true;
        break;
      }
    }
    this.#traffic.outbound(bytes, messages);
  }

  /** Shared by all corks: no closure per flush. */
  static corked(this: void, socket: ServerWebSocket<Socket>): void {
    socket.data.#writeBatch(socket);
  }
}

const writeCorked = Socket.corked;
