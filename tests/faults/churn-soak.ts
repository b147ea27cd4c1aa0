import type { Endpoint } from "../../bench/load/job.ts";
import type { HeapFigures } from "../../bench/probe.ts";
import { residentBytes } from "../../bench/process-stats.ts";
import { startProbedService } from "../../bench/server.ts";
import { type Ending, type Life, live } from "./churn-life.ts";
import { type Observation, type Trend, trendOf } from "./trend.ts";

export interface ChurnOptions {
  readonly minutes: number;
  /** Clients that begin each second. */
  readonly connectsPerSecond: number;
}

/** Memory of the server: resident, the lowest since the sample before; the heap as it is, garbage included. */
export interface ChurnSample {
  readonly seconds: number;
  readonly lives: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
}

/** What came of a churn. */
export interface ChurnResult {
  readonly lives: number;
  /** Of these, reliable connections whose client did not say good-bye. */
  readonly cut: number;
  readonly livesPerHour: number;
  /** What resident memory falls back to, after the warm-up; bytes per hour. */
  readonly resident: Trend;
  /** Objects that an empty server has more of at the end than before, by type, per 1,000 lives; most first. */
  readonly leftOver: readonly (readonly [type: string, perThousandLives: number])[];
  /** Heap of an empty server after a collection, before and at the end. */
  readonly emptyHeapBytes: readonly [before: number, end: number];
}

/**
 * Resident memory saws up and down by a tenth with the garbage; what it falls back to does less. A sample is the lowest of so many
 * looks, and a leak lifts that too.
 */
const sampleMs = 30_000;
const looksPerSample = 30;
/** The part of a run in which the runtime compiles code and sizes its heap. */
const warmUpPart = 0.25;
/** Detached connections end after this, many times within a run. */
const recoverySeconds = 10;
/** One of so many clients is reliable and goes without a good-bye. */
const cutEvery = 8;
/** Left-over objects per 1,000 lives; a leak of one kind of life alone leaves 125, the sizes of the runtime's tables vary less. */
const noticeable = 10;

/**
 * Clients that connect, join a group, publish to it, leave it and go, over and over against a server process of its own, no
 * user or group name used twice. Half of them are reliable. The pace is fixed, so that memory can be compared over time; the
 * load stops for a moment in the middle of the warm-up and at the end to count what an empty server still holds (H-38).
 */
export async function runChurn(
  { minutes, connectsPerSecond }: ChurnOptions,
  tell: (sample: ChurnSample) => void,
): Promise<ChurnResult> {
  await using cleanup = new AsyncDisposableStack();
  const server = await startProbedService({ limits: { reliable: { recoverySeconds } } });
  cleanup.defer(() => server.stop());
  const churn = new Churn(server.endpoint, connectsPerSecond);
  const runMs = minutes * 60_000;
  const warmUpMs = runMs * warmUpPart;
  const startedAt = performance.now();

  const emptyHeap = async (): Promise<{ readonly figures: HeapFigures; readonly lives: number }> => {
    await churn.stop();
    await Bun.sleep((recoverySeconds + 2) * 1000); // until nobody can come back
    return { figures: await server.probe.ask("settled"), lives: churn.lives };
  };

  churn.start();
  await churn.within(Bun.sleep(warmUpMs / 2));
  const before = await emptyHeap();
  churn.start();
  const observations: Observation[] = [];
  for (let next = performance.now() + sampleMs; next - startedAt <= runMs; next += sampleMs) {
    const lowest = await churn.within(lowestUntil(next, server.endpoint.pid));
    const elapsedMs = performance.now() - startedAt;
    const sample = {
      seconds: Math.round(elapsedMs / 1000),
      lives: churn.lives,
      residentBytes: lowest,
      heapBytes: (await server.probe.ask("now")).heapBytes,
    };
    tell(sample);
    if (elapsedMs >= warmUpMs) observations.push({ at: elapsedMs / 3_600_000, value: sample.residentBytes });
  }
  const end = await emptyHeap();
  return {
    lives: churn.lives,
    cut: churn.cut,
    livesPerHour: connectsPerSecond * 3600,
    resident: trendOf(observations),
    leftOver: leftOverOf(before.figures, end.figures, end.lives - before.lives),
    emptyHeapBytes: [before.figures.heapBytes, end.figures.heapBytes],
  };
}

/** The lowest resident memory until a moment. */
async function lowestUntil(endMs: number, pid: number): Promise<number> {
  let lowest = Number.POSITIVE_INFINITY;
  while (performance.now() < endMs) {
    await Bun.sleep(sampleMs / looksPerSample);
    lowest = Math.min(lowest, residentBytes(pid));
  }
  return lowest;
}

function leftOverOf(before: HeapFigures, end: HeapFigures, lives: number): ChurnResult["leftOver"] {
  return Object.entries(end.objects)
    .map(([type, count]) => [type, ((count - (before.objects[type] ?? 0)) / lives) * 1000] as const)
    .filter(([, perThousand]) => perThousand >= noticeable)
    .sort(([, left], [, right]) => right - left);
}

/** Begins lives at a fixed pace. */
class Churn {
  readonly #endpoint: Endpoint;
  readonly #connectsPerSecond: number;
  readonly #failure = Promise.withResolvers<never>();
  readonly #underWay = new Set<Promise<void>>();
  #timer: Timer | null = null;
  #begun = 0;
  lives = 0;
  cut = 0;

  constructor(endpoint: Endpoint, connectsPerSecond: number) {
    this.#endpoint = endpoint;
    this.#connectsPerSecond = connectsPerSecond;
  }

  start(): void {
    const startedAt = performance.now();
    const begunBefore = this.#begun;
    this.#timer = setInterval(() => {
      const due = ((performance.now() - startedAt) / 1000) * this.#connectsPerSecond;
      while (this.#begun - begunBefore < due) this.#begin();
    }, 10);
  }

  /** Begins nothing more; resolves when every life is over. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.within(Promise.all(this.#underWay));
  }

  /** Waits, unless a life goes wrong. */
  within<Result>(wait: Promise<Result>): Promise<Result> {
    return Promise.race([wait, this.#failure.promise]);
  }

  #begin(): void {
    this.#begun += 1;
    const life = lifeOf(this.#begun);
    const over = live(this.#endpoint, life).then(
      () => {
        this.#underWay.delete(over);
        this.lives += 1;
        if (life.ending === "cut") this.cut += 1;
      },
      (error: unknown) => this.#failure.reject(error),
    );
    this.#underWay.add(over);
  }
}

function lifeOf(number: number): Life {
  const ending: Ending = number % cutEvery === 0 ? "cut" : "closed";
  const subprotocol = number % 2 === 0 ? "json.reliable.webpubsub.azure.v1" : "json.webpubsub.azure.v1";
  return { number, subprotocol, ending };
}
