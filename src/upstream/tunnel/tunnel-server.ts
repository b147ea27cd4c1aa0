import type { Pool } from "../webhooks/target.ts";
import type { EventExchange } from "./event-exchange.ts";
import type { TunnelSocket } from "./tunnel-socket.ts";

const pools = ["blocking", "notifications"] as const satisfies readonly Pool[];

/**
 * One application process: all tunnel sockets of a hub whose tokens name the same subject. It may have none for a moment,
 * while the process reconnects; what is for it waits.
 */
export class TunnelServer {
  readonly id: string;
  readonly sockets = new Set<TunnelSocket>();
  readonly #waiting: Readonly<Record<Pool, Set<EventExchange>>> = { blocking: new Set(), notifications: new Set() };
  /** Sockets that are to come: admitted, but not open yet. */
  reserved = 0;
  /** Ends the patience with a process that lost its last socket. */
  cancelGrace: (() => void) | null = null;

  constructor(id: string) {
    this.id = id;
  }

  get waiting(): number {
    return this.#waiting.blocking.size + this.#waiting.notifications.size;
  }

  /** Requests that wait for it or for its answer. */
  get load(): number {
    let load = this.waiting;
    for (const socket of this.sockets) load += socket.inFlight;
    return load;
  }

  /** Sends the request as soon as a socket has room for it, in order within its pool. */
  add(exchange: EventExchange): void {
    const queue = this.#waiting[exchange.pool];
    queue.add(exchange);
    exchange.held(() => queue.delete(exchange));
    this.pump();
  }

  /** Sends what waits, as far as there is room. */
  pump(): void {
    for (const pool of pools) {
      for (const exchange of this.#waiting[pool]) {
        const socket = this.#roomiest(pool);
        if (socket === null) break;
        this.#waiting[pool].delete(exchange);
        socket.send(exchange);
      }
    }
  }

  /** Empties the queues; the caller finds another place for what was in them. */
  takeWaiting(): readonly EventExchange[] {
    const all = pools.flatMap((pool) => [...this.#waiting[pool]]);
    for (const pool of pools) this.#waiting[pool].clear();
    return all;
  }

  #roomiest(pool: Pool): TunnelSocket | null {
    let best: TunnelSocket | null = null;
    for (const socket of this.sockets) {
      if (socket.hasRoom(pool) && (best === null || socket.inFlight < best.inFlight)) best = socket;
    }
    return best;
  }
}
