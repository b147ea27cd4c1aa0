/**
 * The query of a request. Parsed on first use; names compare case-insensitively, values are form-decoded (`+` is a space)
 * and never split or trimmed (rest-api 2.3, R-50). What nobody asks for is ignored.
 */
export class Query {
  readonly #raw: string;
  #parameters: readonly (readonly [name: string, value: string])[] | null = null;

  /** `raw` is the query without its question mark. */
  constructor(raw: string) {
    this.#raw = raw;
  }

  /** All values of a parameter in order; none when it is absent. */
  all(name: string): readonly string[] {
    if (this.#raw === "") return [];
    this.#parameters ??= parse(this.#raw);
    const wanted = name.toLowerCase();
    const values: string[] = [];
    for (const [known, value] of this.#parameters) if (known === wanted) values.push(value);
    return values;
  }

  /** The first value of an optional text; absent and empty are the same, null. */
  text(name: string): string | null {
    const [value] = this.all(name);
    return value === undefined || value === "" ? null : value;
  }
}

function parse(raw: string): readonly (readonly [string, string])[] {
  const parameters: (readonly [string, string])[] = [];
  for (const part of raw.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = equals === -1 ? part : part.slice(0, equals);
    const value = equals === -1 ? "" : part.slice(equals + 1);
    parameters.push([decodeForm(name).toLowerCase(), decodeForm(value)]);
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
