const mask = "REDACTED";
/** Ours: bounds a log line whatever a client sends; request lines may have 16 KiB. */
const maxTextLength = 4096;
/** Ours: a shorter secret would also mask ordinary words. Access keys have at least 32 bytes (M-4). */
const minSecretLength = 8;

/** One cheap look; most texts contain none of these and are returned as they are. */
const suspicious = /token|bearer|authorization|key|secret|password|eyj|eyai|sha256/i;

// Each pattern is linear in the length of the text, which clients choose: no repetition before a fixed part, except
// where a lookbehind lets it start once per word.
const patterns: readonly (readonly [RegExp, string])[] = [
  // A connection string's key ends at the next semicolon, and may itself contain `=`, `/` and `+` (M-5).
  [/((?:access|primary|secondary)_?key["']?\s*(?:=|:|%3D)\s*["']?)[^;"'\r\n]*/gi, `$1${mask}`],
  // `access_token`, reconnection tokens, client secrets: in a query, encoded into another query, or as JSON.
  [/((?:token|secret|password)(?:=|%3D|["']\s*:\s*["']?))[^&\s"'<>;,#]*/gi, `$1${mask}`],
  [/(authorization["'\s]*[:=]\s*["']?)[^\r\n"']*/gi, `$1${mask}`],
  [/(bearer\s+)[^\s"',;]+/gi, `$1${mask}`],
  // Event signatures (`ce-signature`).
  [/(sha256=)[0-9a-f]{32,}/gi, `$1${mask}`],
];
/** Dotted words, and what makes one look like a JWT: base64url of `{"` or `{ "`. */
const dottedWord = /(?<![\w-])[\w-]+(?:(?:\.|%2E)[\w-]*)+/gi;
const tokenStart = /ey(?:J|Ai)/;

/** Last line of defence: callers keep secrets out of logs, this masks what slips through. */
export interface Redactor {
  /**
   * Returns the text with keys, tokens, signatures and `Authorization` values masked, and cut to 4,096 UTF-16 units.
   * Masks too much rather than too little. @spec M-10 H-55
   */
  redact(text: string): string;
  /** The same without the cut, for a caller that bounds the text itself. */
  mask(text: string): string;
  /** Names the secrets that are masked wherever they stand, as they are and percent-encoded. Replaces earlier ones. */
  protect(secrets: readonly string[]): void;
}

/** Creates a redactor that knows no secret by value yet; see `Redactor.protect`. */
export function createRedactor(): Redactor {
  let known: readonly string[] = [];
  const masked = (text: string): string => {
    let safe = text;
    for (const secret of known) if (safe.includes(secret)) safe = safe.replaceAll(secret, mask);
    if (!suspicious.test(safe)) return safe;
    for (const [pattern, replacement] of patterns) safe = safe.replace(pattern, replacement);
    return tokenStart.test(safe) ? safe.replace(dottedWord, (word) => (tokenStart.test(word) ? mask : word)) : safe;
  };
  return {
    mask: masked,
    redact(text) {
      const safe = masked(text);
      return safe.length > maxTextLength ? `${safe.slice(0, maxTextLength)}…` : safe;
    },
    protect(secrets) {
      known = secrets
        .filter((secret) => secret.length >= minSecretLength)
        .flatMap((secret) => [secret, encodeURIComponent(secret.toWellFormed())]);
    },
  };
}
