/**
 * The query of a request. Parsed on first use; names compare case-insensitively, values are form-decoded (`+` is a space)
 * and never split or trimmed (rest-api 2.3, R-50). What nobody asks for is ignored.
 */
export class Query {
  /** The query without its question mark. */
  readonly raw: string;
  #parameters: ReadonlyMap<string, readonly string[]> | null = null;

  constructor(raw: string) {
    this.raw = raw;
  }

  /** All values of a parameter in order; none when it is absent. */
  all(name: string): readonly string[] {
    this.#parameters ??= parse(this.raw);
    return this.#parameters.get(name.toLowerCase()) ?? none;
  }

  /** The first value of an optional text; absent and empty are the same, null. */
  text(name: string): string | null {
    const [value] = this.all(name);
    return value === undefined || value === "" ? null : value;
  }
}

const none: readonly string[] = [];

function parse(raw: string): ReadonlyMap<string, readonly string[]> {
  const parameters = new Map<string, string[]>();
  for (const part of raw.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = decodeForm(equals === -1 ? part : part.slice(0, equals)).toLowerCase();
    const value = decodeForm(equals === -1 ? "" : part.slice(equals + 1));
    const values = parameters.get(name);
    if (values === undefined) parameters.set(name, [value]);
    else values.push(value);
  }
  return parameters;
}

function decodeForm(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    // Malformed escapes stay as they are, like in every form decoder.
    return new URLSearchParams(`v=${text}`).get("v") ?? "";
  }
}
