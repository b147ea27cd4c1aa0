import type { Socket, SocketHandler } from "bun";
import { fail } from "./fail.ts";

/** Who is told what a socket received. */
export interface Receiver {
  received(chunk: Buffer): void;
  /** The other side ended the connection. */
  ended(): void;
}

/** A TCP connection to a loopback port without anything on top: no streams, no WebSocket library. */
export class RawSocket {
  readonly #socket: Socket<RawSocket>;
  #backlog: Buffer | null = null;
  receiver: Receiver;

  private constructor(socket: Socket<RawSocket>, receiver: Receiver) {
    this.#socket = socket;
    this.receiver = receiver;
    socket.data = this;
  }

  static async open(port: number, receiver: Receiver): Promise<RawSocket> {
    const socket = await Bun.connect<RawSocket>({ hostname: "127.0.0.1", port, socket: handlers });
    return new RawSocket(socket, receiver);
  }

  write(bytes: Buffer): void {
    if (this.#backlog !== null) {
      this.#backlog = Buffer.concat([this.#backlog, bytes]);
      return;
    }
    const taken = this.#socket.write(bytes);
    if (taken < 0) throw new Error("wrote to a closed connection");
    if (taken < bytes.length) this.#backlog = bytes.subarray(taken);
  }

  end(): void {
    this.#socket.end();
  }

  drained(): void {
    const backlog = this.#backlog;
    this.#backlog = null;
    if (backlog !== null) this.write(backlog);
  }
}

/** Shared by all sockets. */
const handlers: SocketHandler<RawSocket> = {
  data: (socket, chunk) => socket.data.receiver.received(chunk),
  drain: (socket) => socket.data.drained(),
  close: (socket) => socket.data.receiver.ended(),
  // Among others, what a receiver throws.
  error: (_socket, error) => fail(error),
};
