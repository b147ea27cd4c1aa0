import { randomUUID } from "node:crypto";
import { createAccessKey } from "../../auth/access-keys.ts";
import { mintClientToken } from "../../auth/mint.ts";
import type { ConnectionString } from "../../config/connection-string.ts";
import { version } from "../../server/version.ts";
import { done, type Ending, type Failure, failed, shown } from "../ending.ts";
import { callHttp, type HttpAnswer, type HttpCall } from "../http.ts";

/** The newest version of the data plane; Azure knows the same. */
const apiVersion = "2024-12-01";
const tokenLifetimeSeconds = 300;

/** One operation of the data plane (rest-api 6). */
export interface RestCall {
  readonly method: HttpCall["method"];
  /** Segments behind `/api/hubs/`, not encoded. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly message?: { readonly text: string; readonly contentType: string };
}

/**
 * Calls the REST API of a service, ours or Azure's: public operations, official headers, a token of five minutes for
 * exactly this URL. A segment that starts with a colon names an action and stays as it is.
 * @spec R-17 M-62
 */
export function callRest(service: ConnectionString, call: RestCall): Promise<HttpAnswer | Failure> {
  const path = call.path.map((segment) => (segment.startsWith(":") ? segment : encodeURIComponent(segment))).join("/");
  const query = new URLSearchParams({ "api-version": apiVersion });
  for (const [name, value] of Object.entries(call.query ?? {})) if (value !== undefined) query.set(name, value);
  const url = `${service.endpoint}/api/hubs/${path}?${query.toString().replaceAll("+", "%20")}`;
  const headers = {
    Authorization: `Bearer ${signFor(service, url)}`,
    "User-Agent": `tidewire/${version}`,
    ...(call.message !== undefined && { "Content-Type": call.message.contentType }),
  };
  const body = call.message?.text;
  return callHttp({ method: call.method, url, headers, ...(body !== undefined && { body }) });
}

/** A token of the access key for one audience, as applications sign them: nobody's, valid for five minutes. */
export function signFor(service: ConnectionString, audience: string): string {
  return mintClientToken(createAccessKey(service.accessKey), {
    audience,
    userId: null,
    roles: [],
    groups: [],
    issuedAtSeconds: Math.floor(Date.now() / 1000),
    lifetimeSeconds: tokenLifetimeSeconds,
    tokenId: randomUUID(),
  });
}

/** The ending of an operation that changes or sends something. */
export function doneOrRefused(answer: HttpAnswer | Failure): Ending {
  if (!answer.ok) return answer;
  return isSuccess(answer) ? done : refusal(answer);
}

/** The ending of an operation that asks a question: 404 means no. */
export function yesOrNo(answer: HttpAnswer | Failure): Ending {
  if (!answer.ok) return answer;
  if (isSuccess(answer)) return shown(true);
  return answer.status === 404 ? shown(false) : refusal(answer);
}

function isSuccess({ status }: HttpAnswer): boolean {
  return status >= 200 && status < 300;
}

/** One line of what the service said: status, message, code. */
function refusal({ status, statusText, headers, body }: HttpAnswer): Failure {
  const { code, message } = errorOf(body);
  const name = code ?? headers.get("x-ms-error-code");
  const hint = status === 401 ? "is the connection string that of this service?" : null;
  const told = [message ?? hint, name === null ? null : `(${name})`].filter((part) => part !== null).join(" ");
  return failed(`the service answered ${`${status} ${statusText}`.trim()}${told === "" ? "" : `: ${told}`}`);
}

function errorOf(body: string): { readonly code: string | null; readonly message: string | null } {
  const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== "object" || parsed === null) return { code: null, message: null };
    const { code, message } = parsed as { code?: unknown; message?: unknown };
    return { code: text(code), message: text(message) };
  } catch {
    return { code: null, message: null };
  }
}
