import type { LogFields } from "../../core/ports.ts";
import type { HttpCall, HttpClient, HttpFailure, HttpReply } from "./http-client.ts";
import type { Target } from "./target.ts";

/** One URL to be validated for one request origin. */
export interface ValidationSubject {
  /** Full URL including query; key of the record together with the origin. */
  readonly url: string;
  /** Value of `WebHook-Request-Origin`; several names are separated by commas. */
  readonly origin: string;
  /** Sends one request, with its retries and its timeout. */
  send(method: "OPTIONS" | "GET", headers: readonly string[]): Promise<HttpReply | HttpFailure>;
}

/** How a validation went. */
export interface Validation {
  /** Null: events may be sent. Otherwise what the log says of it. */
  readonly problem: { readonly event: string; readonly fields: LogFields } | null;
  /** The last request, which decided. */
  readonly method: "OPTIONS" | "GET";
  readonly result: HttpReply | HttpFailure;
}

/** Time for one validation request, retries included (event-handlers 3.3, E-20). */
const timeoutMs = 10_000;
/** The answers' bodies are only for a person to look at. */
const maxResponseBytes = 65_536;

/** The headers of a validation request, beside those of every request. */
export function validationHeaders(origin: string): readonly string[] {
  return ["WebHook-Request-Origin", origin, "ce-awpsversion", "1.0"];
}

/** Host without port and scheme, or the configured names (event-handlers 3.4). */
export function requestOrigin(
  { origins, publicHosts }: { readonly origins: readonly string[]; readonly publicHosts: readonly string[] },
  requestHost: string,
): string {
  if (origins.length > 0) return origins.join(",");
  return publicHosts[0]?.replace(/:[0-9]+$/, "") ?? requestHost;
}

/** Sends validation requests to a target, which is asked for anew for each. */
export function validationSender(
  client: HttpClient,
  way: { readonly target: () => Target; readonly path: string; readonly retryDelaysMs: readonly number[] },
): ValidationSubject["send"] {
  const { path, retryDelaysMs } = way;
  return (method, headers) =>
    client.call({ ...plainCall, method, target: way.target(), path, headers, timeoutMs, retryDelaysMs });
}

/**
 * Asks a handler once whether events may be sent to it; `publicHosts` are further hosts, with port, that it may name
 * (event-handlers 3.2).
 * @spec E-13 E-14 E-15
 */
export async function validate(subject: ValidationSubject, publicHosts: readonly string[]): Promise<Validation> {
  const headers = validationHeaders(subject.origin);
  let method: Validation["method"] = "OPTIONS";
  let result = await subject.send(method, headers);
  if (result.kind === "reply" && result.status === 404) {
    method = "GET"; // E-15
    result = await subject.send(method, headers);
  }
  return { problem: problemOf(result, subject, publicHosts), method, result };
}

function problemOf(
  result: HttpReply | HttpFailure,
  subject: ValidationSubject,
  publicHosts: readonly string[],
): Validation["problem"] {
  const url = withoutQuery(subject.url);
  if (result.kind === "failed") {
    const message = `Abuse protection for '${url}' failed: ${result.detail}.`;
    return { event: "AbuseProtectionRequestFailed", fields: { message, url } };
  }
  const { status: statusCode } = result;
  if (statusCode < 200 || statusCode > 299) {
    const message = `Abuse protection for '${url}' failed: ${statusCode}.`;
    return { event: "AbuseProtectionResponseInvalidStatusCode", fields: { message, url, statusCode } };
  }
  const { allowedOrigins } = result.headers;
  if (isAllowed(allowedOrigins, [...subject.origin.split(","), ...publicHosts])) return null;
  const shown = allowedOrigins.join(", ").slice(0, 256);
  const message = `Abuse protection for '${url}' missing allowed origins: ${shown}.`;
  return { event: "AbuseProtectionResponseMissingAllowedOrigin", fields: { message, url } };
}

/** Compares hosts only: one official handler names itself with its port while the request origin has none (E-14). */
function isAllowed(lines: readonly string[], names: readonly string[]): boolean {
  const own = names.map(hostOnly);
  const offered = lines.flatMap((line) => line.split(",")).map((value) => value.trim());
  return offered.some((value) => value === "*" || (value !== "" && own.includes(hostOnly(value))));
}

function hostOnly(value: string): string {
  return value
    .trim()
    .toLowerCase()
    .replace(/:[0-9]+$/, "");
}

/** A URL as it may be logged: without query, which may hold a key. */
export function withoutQuery(url: string): string {
  const query = url.indexOf("?");
  return query < 0 ? url : url.slice(0, query);
}

/** A request that belongs to no event. */
const plainCall = {
  body: null,
  bodyBytes: 0,
  pool: "blocking",
  authenticator: null,
  needsBody: false,
  maxResponseBytes,
  followsRedirects: false,
  signal: null,
  onSent: null,
  onAttempt: null,
} as const satisfies Partial<HttpCall>;
