import { textFrame } from "./client.ts";
import type { RawSocket } from "./raw-socket.ts";

/** As often as the JavaScript client confirms. */
const intervalMs = 1000;
/** Sooner when this many wait: the service keeps 1,000 and then gives the client up. */
const mostUnconfirmed = 500;

interface Progress {
  received: number;
  confirmed: number;
}

/** Confirms what reliable clients received, each once per second, and before too much waits. Keeps the process alive. */
export class Confirmations {
  readonly #clients = new Map<RawSocket, Progress>();

  constructor() {
    setInterval(() => {
      for (const [socket, progress] of this.#clients) confirm(socket, progress);
    }, intervalMs);
  }

  /** Counts data messages of a client; their numbers are 1, 2, 3 …, so the count is the last number. */
  received(count: number, socket: RawSocket): void {
    let progress = this.#clients.get(socket);
    if (progress === undefined) {
      progress = { received: 0, confirmed: 0 };
      this.#clients.set(socket, progress);
    }
    progress.received += count;
    if (progress.received - progress.confirmed >= mostUnconfirmed) confirm(socket, progress);
  }
}

function confirm(socket: RawSocket, progress: Progress): void {
  if (progress.received === progress.confirmed) return;
  progress.confirmed = progress.received;
  socket.write(textFrame({ type: "sequenceAck", sequenceId: progress.received }));
}
