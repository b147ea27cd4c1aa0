/** What a person did wrong, in words for that person. */
export class Refusal extends Error {}

/** Characters that no name needs: controls, and those that turn the direction of what follows. */
const unwanted = /[\p{Cc}\p{Cs}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u;

/** A name or a reason: one line, without spaces around it. */
export function readLine(value: unknown, what: string, maxLength: number): string {
  const line = typeof value === "string" ? value.trim().replaceAll(/\s+/g, " ") : "";
  if (line === "" || line.length > maxLength) throw new Refusal(`${what} has 1 to ${maxLength} characters.`);
  if (unwanted.test(line)) throw new Refusal(`${what} has a character that cannot be shown.`);
  return line;
}

/** What somebody writes: several lines, as they are. PostgreSQL stores no NUL. */
export function readText(value: unknown, maxLength: number): string {
  const text = typeof value === "string" ? value.toWellFormed().replaceAll("\0", "").trim() : "";
  if (text === "" || text.length > maxLength) throw new Refusal(`A message has 1 to ${maxLength} characters.`);
  return text;
}

/** An id that was handed out before. */
export function readId(value: unknown): string {
  if (typeof value !== "string" || !/^[\w-]{1,64}$/.test(value)) throw new Refusal("That is no id.");
  return value;
}

export function readInteger(value: unknown, max = 2 ** 31 - 1): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > max) {
    throw new Refusal("That is no number in range.");
  }
  return value;
}

export const optional = <Value>(value: unknown, read: (value: unknown) => Value): Value | undefined =>
  value === undefined ? undefined : read(value);
