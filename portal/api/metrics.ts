import { request } from "./http.ts";

/** One value of `/metrics`. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a metric is, as `/metrics` says it. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

/** Everything counted at one moment. */
export class Reading {
  /** Milliseconds since the epoch, on this machine's clock. */
  readonly at: number;
  readonly families: readonly Family[];
  readonly #samples = new Map<string, Sample[]>();

  constructor(at: number, families: readonly Family[]) {
    this.at = at;
    this.families = families;
    for (const sample of families.flatMap(({ samples }) => samples)) {
      const known = this.#samples.get(sample.name);
      if (known === undefined) this.#samples.set(sample.name, [sample]);
      else known.push(sample);
    }
  }

  /** Every sample of a name. */
  samples(name: string): readonly Sample[] {
    return this.#samples.get(name) ?? [];
  }

  /** The sum over all labels; 0 for what is not counted. */
  sum(name: string): number {
    return this.samples(name).reduce((total, { value }) => total + value, 0);
  }
}

/** Reads the metrics now. */
export async function readMetrics(signal?: AbortSignal): Promise<Reading> {
  const response = await request("/metrics", signal === undefined ? {} : { signal });
  return new Reading(Date.now(), parseExposition(await response.text()));
}

/** Growth per second between two readings; null when there was a restart in between. */
export function perSecond(before: Reading, after: Reading, name: string): number | null {
  const growth = after.sum(name) - before.sum(name);
  const seconds = (after.at - before.at) / 1000;
  return growth < 0 || seconds <= 0 ? null : growth / seconds;
}

/** Mean of a histogram's observations between two readings, in its unit; null when there were none. */
export function meanBetween(before: Reading, after: Reading, name: string): number | null {
  const count = after.sum(`${name}_count`) - before.sum(`${name}_count`);
  return count <= 0 ? null : (after.sum(`${name}_sum`) - before.sum(`${name}_sum`)) / count;
}

/** Reads the Prometheus text format; lines that are none are passed over. */
export function parseExposition(text: string): readonly Family[] {
  const families = new Map<string, { name: string; help: string; type: string; samples: Sample[] }>();
  const familyOf = (name: string): { name: string; help: string; type: string; samples: Sample[] } => {
    const known = families.get(name) ?? { name, help: "", type: "untyped", samples: [] };
    families.set(name, known);
    return known;
  };
  let current = "";
  for (const line of text.split("\n")) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment !== null) {
      const [, kind, name = "", rest = ""] = comment;
      current = name;
      if (kind === "HELP") familyOf(name).help = rest;
      else familyOf(name).type = rest;
      continue;
    }
    const sample = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (sample === null) continue;
    const [, name = "", labels = "", value = ""] = sample;
    const family = name.startsWith(current) && current !== "" ? current : name;
    familyOf(family).samples.push({
      name,
      labels: parseLabels(labels),
      value: Number(value.replace("Inf", "Infinity")),
    });
  }
  return [...families.values()];
}

function parseLabels(text: string): Readonly<Record<string, string>> {
  const unescape = (value: string): string =>
    value.replace(/\\([\\"n])/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
  const found = text.matchAll(/([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g);
  return Object.fromEntries(Array.from(found, ([, name = "", value = ""]) => [name, unescape(value)]));
}
