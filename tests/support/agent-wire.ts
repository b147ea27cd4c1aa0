/** One line of JSON in which bytes stand as `{"$bytes":"<base64>"}`; what is undefined is left out. */
export function toLine(value: unknown): string {
  return JSON.stringify(wrapBytes(value));
}

/** The value of a line; bytes come as `Buffer`. */
export function fromLine(line: string): unknown {
  return JSON.parse(line, (_, value: unknown) => (isWrapped(value) ? Buffer.from(value.$bytes, "base64") : value));
}

function wrapBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
  if (value instanceof ArrayBuffer) return wrapBytes(new Uint8Array(value));
  if (Array.isArray(value)) return value.map(wrapBytes);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, wrapBytes(member)]));
}

const isWrapped = (value: unknown): value is { readonly $bytes: string } =>
  typeof value === "object" && value !== null && "$bytes" in value && typeof value.$bytes === "string";
