import type { Connection } from "./connection.ts";
import type { Scheduler } from "./ports.ts";

/** One slot per second of the longest interval (1..120 s) and one to spare. */
const slots = 128;
const tickMs = 1000;
/** Silent intervals after which a client is given up (client-protocols 12). */
const silentIntervals = 3;

/** What keep-alive needs to know and to have done. */
export interface KeepAliveOptions {
  readonly scheduler: Scheduler;
  /** Ping interval of the connection's hub in seconds, 1..120; read again at each ping. */
  intervalSeconds(connection: Connection): number;
  timedOut(connection: Connection): void;
}

/** Pings every connection at its hub's interval from one timer: a wheel of one-second slots (C-93, M-15). */
export class KeepAlive {
  readonly #options: KeepAliveOptions;
  readonly #wheel: Set<Connection>[] = Array.from({ length: slots }, () => new Set<Connection>());
  readonly #stop: () => void;
  #tick = 0;

  constructor(options: KeepAliveOptions) {
    this.#options = options;
    this.#stop = options.scheduler.every(tickMs, () => this.#advance());
  }

  add(connection: Connection): void {
    connection.lastHeardTick = this.#tick;
    this.#schedule(connection, this.#options.intervalSeconds(connection));
  }

  remove(connection: Connection): void {
    this.#wheel[connection.keepAliveSlot]?.delete(connection);
  }

  /** Any frame of the client counts as a sign of life. */
  heard(connection: Connection): void {
    connection.lastHeardTick = this.#tick;
  }

  close(): void {
    this.#stop();
    for (const slot of this.#wheel) slot.clear();
  }

  #schedule(connection: Connection, seconds: number): void {
    connection.keepAliveSeconds = seconds;
    connection.keepAliveSlot = (this.#tick + seconds) % slots;
    this.#wheel[connection.keepAliveSlot]?.add(connection);
  }

  #advance(): void {
    this.#tick += 1;
    const due = this.#wheel[this.#tick % slots];
    if (due === undefined) return;
    for (const connection of due) {
      due.delete(connection);
      // Judged by the interval it was really pinged at, not by one that was configured meanwhile.
      if (this.#tick - connection.lastHeardTick >= connection.keepAliveSeconds * silentIntervals) {
        this.#options.timedOut(connection);
        continue;
      }
      // Scheduled first: the socket may turn out to be closed by the ping, which removes the connection.
      this.#schedule(connection, this.#options.intervalSeconds(connection));
      connection.sink.ping();
    }
  }
}
