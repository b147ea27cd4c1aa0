import { fileURLToPath } from "node:url";

/** What is used of a profile in the format of the Chrome developer tools. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Id of the node that each sample hit. */
  readonly samples: readonly number[];
  /** Microseconds since the sample before, for the first since the start. */
  readonly timeDeltas: readonly number[];
}

/** A stretch of a profile, in milliseconds since its start. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    /** From zero; -1: native. */
    readonly lineNumber: number;
  };
  readonly children?: readonly number[];
}

/** A function's part of all samples. */
export interface Cost {
  readonly part: number;
  readonly name: string;
  /** File and line; empty for what belongs to the runtime. */
  readonly place: string;
}

const outside = "outside of JavaScript";
const project = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Sums up a stretch of a profile by function: `self` is what it did itself, `inclusive` also what it called, each once per sample however
 * often it stands on the stack. What happens outside of JavaScript, such as reading and parsing of input, is one entry.
 */
export function costsOf(
  { nodes, samples: all, timeDeltas }: CpuProfile,
  { fromMs, toMs }: Stretch,
): { readonly self: Cost[]; readonly inclusive: Cost[] } {
  let atMs = 0;
  const samples = all.filter((_, index) => {
    atMs += (timeDeltas[index] ?? 0) / 1000;
    return atMs >= fromMs && atMs <= toMs;
  });
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const [root] = nodes;
  const self = new Tally();
  const inclusive = new Tally();
  for (const sample of samples) {
    const stack = new Set<string>();
    for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) {
      const node = byId.get(id);
      if (node !== undefined && id !== root?.id) stack.add(labelOf(node, parents.get(id) === root?.id));
    }
    if (stack.size === 0) stack.add(outside);
    const [innermost] = stack;
    if (innermost !== undefined) self.add(innermost);
    for (const label of stack) inclusive.add(label);
  }
  return { self: self.costs(samples.length), inclusive: inclusive.costs(samples.length) };
}

class Tally {
  readonly #counts = new Map<string, number>();

  add(label: string): void {
    this.#counts.set(label, (this.#counts.get(label) ?? 0) + 1);
  }

  costs(samples: number): Cost[] {
    return [...this.#counts]
      .sort(([, left], [, right]) => right - left)
      .map(([label, count]) => {
        const [name = "", place = ""] = label.split("\t");
        return { part: count / samples, name, place };
      });
  }
}

function labelOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode, isOutermost: boolean): string {
  if (url === "" && functionName === "" && isOutermost) return outside;
  const path = url.replace("file://", "");
  const file = path.startsWith(project) ? path.slice(project.length) : path;
  return `${functionName === "" ? "(anonymous)" : functionName}\t${file === "" ? "" : `${file}:${lineNumber + 1}`}`;
}
