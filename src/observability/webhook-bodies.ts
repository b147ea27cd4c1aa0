import type { Redactor } from "./redact.ts";

/** A request to an event handler and its answer. */
export interface WebhookExchange {
  /** `[name, value, …]`; without `Host`, `Content-Length` and `Authorization`. */
  readonly requestHeaders: readonly string[];
  readonly requestBody: string | Uint8Array;
  /** Null: there was no answer. */
  readonly answer: { readonly headers: readonly string[]; readonly body: Uint8Array } | null;
}

/** Characters of each of the four texts; ours. More are cut, and a mark says so. */
const maxLength = 4096;
/** Looked at before the cut, so that no secret is cut into something that does not look like one. */
const maxRedacted = 16 * maxLength;
const mask = "REDACTED";

/** Headers whose values nobody has to see. */
const secretHeader = /auth|cookie|token|secret|password|signature|credential|key/i;
const secretWord =
  "authorization|cookie|token|secret|password|signature|credential|(?:api|access|private|primary|secondary|shared)[-_]?key";
/** A member of a JSON text with such a name, and its value: a text or a list of texts, whole or cut off. */
const member = new RegExp(
  String.raw`("(?:[^"\\]{0,64}(?:${secretWord})[^"\\]{0,64}|code|sig)"\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|\[[^\]]*\]?)`,
  "gi",
);
/** A parameter of a query or of a form that lets its bearer in. */
const parameter = /((?:^|[?&\s"])(?:code|sig|[\w-]{0,64}(?:token|key))=)[^&\s"'<>;,#]*/gi;
const control = /[\0-\x08\x0b\x0c\x0e-\x1f]/;

/**
 * The texts that a view shows of an exchange, safe to be shown: signatures, cookies, tokens and the secrets that the
 * redactor knows are masked. A body that is no text is base64, marked by `base64:`; one that is cut ends with its size.
 * @spec H-55
 */
export function describeExchange(exchange: WebhookExchange, redactor: Redactor): Readonly<Record<string, string>> {
  const { requestHeaders, requestBody, answer } = exchange;
  return {
    requestHeaders: describeHeaders(requestHeaders, redactor),
    requestBody: describeBody(requestBody, redactor),
    ...(answer !== null && {
      responseHeaders: describeHeaders(answer.headers, redactor),
      responseBody: describeBody(answer.body, redactor),
    }),
  };
}

function describeHeaders(headers: readonly string[], redactor: Redactor): string {
  const lines: string[] = [];
  let length = 0;
  for (let index = 0; index + 1 < headers.length && length <= maxLength; index += 2) {
    const name = headers[index] ?? "";
    const line = `${name}: ${secretHeader.test(name) ? mask : masked(headers[index + 1] ?? "", redactor)}`;
    lines.push(line);
    length += line.length + 1;
  }
  const text = lines.join("\n");
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}

function describeBody(body: string | Uint8Array, redactor: Redactor): string {
  const size = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  const text = typeof body === "string" ? body.slice(0, maxRedacted) : readText(body.subarray(0, maxRedacted));
  if (text !== null) {
    const safe = masked(text, redactor);
    return safe.length > maxLength || text.length === maxRedacted
      ? `${safe.slice(0, maxLength)}… (${size} bytes)`
      : safe;
  }
  const bytes = Buffer.from(body as Uint8Array).subarray(0, (maxLength / 4) * 3);
  // Base64 would show what is masked elsewhere.
  const latin1 = bytes.toString("latin1");
  if (masked(latin1, redactor) !== latin1) return `withheld: ${size} bytes, with a secret in them`;
  return `base64:${bytes.toString("base64")}${bytes.length < size ? `… (${size} bytes)` : ""}`;
}

function masked(text: string, redactor: Redactor): string {
  return redactor.mask(text.replace(member, `$1"${mask}"`)).replace(parameter, `$1${mask}`);
}

/** Null for what is no text; the last character may be cut off. */
function readText(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return control.test(text) ? null : text;
  } catch {
    return null; // not UTF-8
  }
}
