import { type Failure, misused } from "../ending.ts";

/** Options of `az` that take several `name=value` words, up to the next option. */
const pairOptions: ReadonlySet<string> = new Set(["--event-handler", "--ip-rule"]);
const separator = "\n";

/**
 * Joins the words behind each `--event-handler` and `--ip-rule` into one, so that every occurrence stays one thing: the
 * parser would make one list of all of them.
 */
export function joinPairs(args: readonly string[]): string[] {
  const joined: string[] = [];
  let isOpen = false;
  let isFirst = false;
  for (const arg of args) {
    if (arg.startsWith("-")) {
      isOpen = pairOptions.has(arg);
      isFirst = true;
      joined.push(arg);
    } else if (isOpen && !isFirst) joined.push(`${joined.pop() ?? ""}${separator}${arg}`);
    else {
      isFirst = false;
      joined.push(arg);
    }
  }
  return joined;
}

export type Pairs = { readonly ok: true; readonly values: ReadonlyMap<string, readonly string[]> } | Failure;

/** Reads the words of one occurrence; names other than `known` are wrong usage. */
export function readPairs(text: string, option: string, known: readonly string[]): Pairs {
  const values = new Map<string, readonly string[]>();
  for (const word of text.split(separator)) {
    const equals = word.indexOf("=");
    const name = (equals < 0 ? word : word.slice(0, equals)).toLowerCase();
    if (equals < 0 || !known.includes(name))
      return misused(`${option} takes ${known.map((key) => `${key}=…`).join(", ")}, not ${JSON.stringify(word)}`);
    values.set(name, [...(values.get(name) ?? []), word.slice(equals + 1)]);
  }
  return { ok: true, values };
}
