/** The system's name of an error, such as ECONNREFUSED; null when it has none. */
export function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}

/** What a code says to a person; null where the error's own text says it better. */
export function wordsFor(code: string | null): string | null {
  return code === null ? null : (words[code] ?? null);
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ENOTFOUND: "there is no such host",
};
