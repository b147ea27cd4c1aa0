import { type Carried, type DialledSocket, HttpSocket, type SocketOwner } from "./http-socket.ts";

/** What waits for a socket. */
export interface Passenger extends Carried {
  /** It got no place: no connection can even be tried (`invalid`), or too many are waiting. */
  refused(cause: "invalid" | "full", detail: string): void;
}

/** Ours: a client has one event under way and notifications have bounds of their own, so only more clients than a node has get here. */
const maxWaiting = 65_536;

/** Keep-alive sockets to one origin: a bounded number, beyond which requests wait in order. The last one used is used next. */
export class SocketPool implements SocketOwner {
  readonly #dial: () => DialledSocket;
  readonly #maxSockets: number;
  readonly #sockets = new Set<HttpSocket>();
  readonly #waiting = new Set<Passenger>();
  #idle: HttpSocket[] = [];
  #isRetired = false;

  /** `dial` may throw when its settings cannot be used. */
  constructor(dial: () => DialledSocket, maxSockets: number) {
    this.#dial = dial;
    this.#maxSockets = maxSockets;
  }

  /** Sends a request, or lets it wait. Reports a refusal for lack of room only after it returned. */
  carry(passenger: Passenger): void {
    const idle = this.#idle.pop();
    if (idle !== undefined) idle.carry(passenger);
    else if (this.#sockets.size < this.#maxSockets) this.#open(passenger);
    else if (this.#waiting.size < maxWaiting) {
      this.#waiting.add(passenger);
      passenger.held(() => this.#waiting.delete(passenger));
    } else setImmediate(() => passenger.refused("full", "too many requests are waiting"));
  }

  /** Closes idle sockets now and the others when they are free and nothing waits. */
  retire(): void {
    this.#isRetired = true;
    this.#closeIdle();
  }

  /** Closes all sockets at once; the requests on them and those that wait are lost. */
  close(): void {
    this.#isRetired = true;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const socket of this.#sockets) socket.close();
    for (const passenger of waiting) passenger.lost(null, false);
  }

  freed(socket: HttpSocket): void {
    const next = this.#takeWaiting();
    if (next !== null) socket.carry(next);
    else if (this.#isRetired) socket.close();
    else this.#idle.push(socket);
  }

  lost(socket: HttpSocket, wasStale: boolean): void {
    this.#sockets.delete(socket);
    this.#idle = this.#idle.filter((other) => other !== socket);
    // What ended one connection that nobody used, such as a restart, has most likely ended the others.
    if (wasStale) this.#closeIdle();
    while (this.#sockets.size < this.#maxSockets) {
      const next = this.#takeWaiting();
      if (next === null) return;
      this.#open(next);
    }
  }

  #takeWaiting(): Passenger | null {
    const [next] = this.#waiting;
    if (next === undefined) return null;
    this.#waiting.delete(next);
    return next;
  }

  #open(passenger: Passenger): void {
    let dialled: DialledSocket;
    try {
      dialled = this.#dial();
    } catch (error) {
      passenger.refused("invalid", error instanceof Error ? error.message : "");
      return;
    }
    const socket = new HttpSocket(dialled, this);
    this.#sockets.add(socket);
    socket.carry(passenger);
  }

  #closeIdle(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const socket of idle) socket.close();
  }
}
