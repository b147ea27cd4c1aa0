import * as net from "node:net";
import type { SeededRandom } from "./seeded-random.ts";

/**
 * What happens to a connection. `fin`, `rst`: both sides end. `blackHole`: nothing passes for a while, then both sides are
 * reset. `takeOver`: nothing passes, and only the client's side is reset; the server's side ends a while later. `stall`: nothing
 * passes for a while, then everything. `delay`: every chunk is late from then on, in order.
 */
const faults = ["fin", "rst", "blackHole", "takeOver", "stall", "delay"] as const;
export type Fault = (typeof faults)[number];

/** A TCP proxy that does harm. */
export interface FaultyProxy {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** How often each harm was done. */
  readonly done: Readonly<Record<Fault, number>>;
  /** Connections that were let in. */
  readonly accepted: number;
  /** Begins to do harm, to the connections that stand and to all that come. */
  unleash(): void;
  /** From here on nothing reaches the clients of now, while what they send still passes; for use before a cut. */
  swallowAnswers(): void;
  /** Ends every connection of now in this way, at once. */
  cut(fault: "fin" | "rst"): void;
  /** Does no more harm; what it holds back passes when its time has come. */
  calm(): void;
  stop(): Promise<void>;
}

export interface FaultyProxyOptions {
  /** `http://127.0.0.1:<port>` */
  readonly target: string;
  readonly random: SeededRandom;
}

/** How long a connection is left in peace before each harm; short enough to meet handshakes too. */
const peaceMs = [20, 5000] as const;
const blackHoleMs = [200, 3000] as const;
const stallMs = [100, 1500] as const;
const delayMs = [1, 80] as const;

/** Starts a TCP proxy on loopback that cuts, swallows, stalls and delays its connections at random. */
export async function startFaultyProxy({ target, random }: FaultyProxyOptions): Promise<FaultyProxy> {
  const { hostname, port } = new URL(target);
  const links = new Set<Link>();
  const done: Record<Fault, number> = { fin: 0, rst: 0, blackHole: 0, takeOver: 0, stall: 0, delay: 0 };
  let accepted = 0;
  let isCalm = true;
  const harm = (link: Link): void => {
    if (isCalm || link.isOver) return;
    const fault = random.pick(faults);
    done[fault] += 1;
    const until = link.suffer(fault, random);
    if (!link.isOver) setTimeout(harm, until + random.between(...peaceMs), link);
  };
  const threaten = (link: Link): unknown => setTimeout(harm, random.between(...peaceMs), link);
  const server = net.createServer((downstream) => {
    accepted += 1;
    const link = new Link(downstream, net.connect({ host: hostname, port: Number(port) }), () => links.delete(link));
    links.add(link);
    if (!isCalm) threaten(link);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    done,
    get accepted() {
      return accepted;
    },
    unleash: () => {
      isCalm = false;
      for (const link of links) threaten(link);
    },
    swallowAnswers: () => {
      for (const link of links) link.swallowAnswers();
    },
    cut: (fault) => {
      for (const link of [...links].filter(({ isOver }) => !isOver)) {
        done[fault] += 1;
        link.suffer(fault, random);
      }
    },
    calm: () => {
      isCalm = true;
    },
    stop: async () => {
      isCalm = true;
      const closed = new Promise((resolve) => server.close(resolve));
      for (const link of links) link.destroy();
      await closed;
    },
  };
}

/** One connection through the proxy. */
class Link {
  readonly #downstream: net.Socket;
  readonly #upstream: net.Socket;
  readonly #answers: Pipe;
  readonly #pipes: readonly Pipe[];
  #isSwallowing = false;
  isOver = false;

  constructor(downstream: net.Socket, upstream: net.Socket, closed: () => void) {
    this.#downstream = downstream;
    this.#upstream = upstream;
    this.#answers = new Pipe(upstream, downstream);
    this.#pipes = [new Pipe(downstream, upstream), this.#answers];
    const sockets = [downstream, upstream];
    for (const socket of sockets) {
      socket.setNoDelay(true);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        this.isOver = true;
        // In a black hole one side does not learn what becomes of the other.
        if (!this.#isSwallowing) this.destroy();
        if (sockets.every((each) => each.destroyed)) closed();
      });
    }
  }

  /** Does the harm; returns after how many milliseconds the next may come. */
  suffer(fault: Fault, random: SeededRandom): number {
    const [downstream, upstream] = [this.#downstream, this.#upstream];
    switch (fault) {
      case "fin":
        this.isOver = true;
        downstream.end();
        upstream.end();
        return 0;
      case "rst":
        this.#reset();
        return 0;
      case "blackHole":
        this.#swallow();
        setTimeout(() => this.#reset(), random.between(...blackHoleMs));
        return 0;
      case "takeOver":
        this.#swallow();
        downstream.resetAndDestroy();
        setTimeout(() => this.#reset(), random.between(...blackHoleMs));
        return 0;
      case "stall": {
        const lasting = random.between(...stallMs);
        for (const pipe of this.#pipes) pipe.holdUntil(Date.now() + lasting);
        return lasting;
      }
      case "delay": {
        const late = random.between(...delayMs);
        for (const pipe of this.#pipes) pipe.lateMs = late;
        return 0;
      }
    }
  }

  swallowAnswers(): void {
    this.#answers.stop();
  }

  destroy(): void {
    this.isOver = true;
    this.#downstream.destroy();
    this.#upstream.destroy();
  }

  #reset(): void {
    this.isOver = true;
    for (const socket of [this.#downstream, this.#upstream]) if (!socket.destroyed) socket.resetAndDestroy();
  }

  /** Neither side gets anything any more, nor is read from: what is sent piles up at the sender. */
  #swallow(): void {
    this.isOver = true;
    this.#isSwallowing = true;
    for (const pipe of this.#pipes) pipe.stop();
  }
}

/** One direction: passes chunks on in order, each when its time has come. */
class Pipe {
  readonly #from: net.Socket;
  readonly #to: net.Socket;
  readonly #waiting: { readonly at: number; readonly chunk: Buffer | null }[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  #heldUntil = 0;
  #isStopped = false;
  lateMs = 0;

  constructor(from: net.Socket, to: net.Socket) {
    this.#from = from;
    this.#to = to;
    from.on("data", (chunk: Buffer) => this.#take(chunk));
    from.on("end", () => this.#take(null));
  }

  holdUntil(time: number): void {
    this.#heldUntil = time;
  }

  stop(): void {
    this.#isStopped = true;
    this.#waiting.length = 0;
    this.#from.pause();
  }

  #take(chunk: Buffer | null): void {
    const before = this.#waiting.at(-1)?.at ?? 0;
    this.#waiting.push({ at: Math.max(before, Date.now() + this.lateMs, this.#heldUntil), chunk });
    if (this.#timer === null) this.#pass();
  }

  #pass(): void {
    this.#timer = null;
    for (let first = this.#waiting[0]; first !== undefined && !this.#isStopped; first = this.#waiting[0]) {
      const wait = first.at - Date.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#pass(), wait);
        return;
      }
      this.#waiting.shift();
      if (this.#to.destroyed) continue;
      if (first.chunk === null) this.#to.end();
      else this.#to.write(first.chunk);
    }
  }
}
