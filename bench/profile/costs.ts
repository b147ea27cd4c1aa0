import { fileURLToPath } from "node:url";

/** What is used of a profile in the format of the Chrome developer tools. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Id of the node that each sample hit. */
  readonly samples: readonly number[];
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

const project = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Sums up a profile by function: `self` is what it did itself, `inclusive` also what it called, each once per sample however
 * often it stands on the stack. What happens outside of JavaScript, such as reading and parsing of input, is one entry.
 */
export function costsOf({ nodes, samples }: CpuProfile): { readonly self: Cost[]; readonly inclusive: Cost[] } {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const self = new Tally();
  const inclusive = new Tally();
  for (const sample of samples) {
    const stack = new Set<string>();
    for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) {
      const node = byId.get(id);
      // The root is the run as a whole.
      if (node !== undefined && parents.has(id)) stack.add(labelOf(node, parents.get(id) === nodes[0]?.id));
    }
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
  if (url === "" && functionName === "" && isOutermost) return "outside of JavaScript";
  const path = url.replace("file://", "");
  const file = path.startsWith(project) ? path.slice(project.length) : path;
  return `${functionName === "" ? "(anonymous)" : functionName}\t${file === "" ? "" : `${file}:${lineNumber + 1}`}`;
}
