import { type Failure, failed } from "./ending.ts";
import { codeOf, wordsFor } from "./network-error.ts";

/** Time for a whole answer, and for the handshake of a WebSocket. Ours: a person does not wait longer. */
export const answerDeadlineMs = 15_000;

export interface HttpCall {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly ok: true;
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly body: string;
}

/**
 * Makes one HTTP request and reads the answer. No retries, so that nothing is sent twice, and no redirects, so that no
 * credential goes elsewhere. Only an unreachable service is a failure here, whatever the status is.
 */
export async function callHttp(
  { method, url, headers, body }: HttpCall,
  deadlineMs: number = answerDeadlineMs,
): Promise<HttpAnswer | Failure> {
  try {
    const response = await fetch(url, {
      method,
      headers,
      redirect: "manual",
      signal: AbortSignal.timeout(deadlineMs),
      ...(body !== undefined && { body }),
    });
    const { status, statusText } = response;
    return { ok: true, status, statusText, headers: response.headers, body: await response.text() };
  } catch (error) {
    if (error instanceof Error && error.name === "TimeoutError") return silent(url, deadlineMs);
    return unreachable(url, error);
  }
}

/** Says that a service takes the connection and nothing follows. */
export function silent(url: string, deadlineMs: number): Failure {
  return unreachable(url, `no answer within ${deadlineMs / 1000} s`);
}

/** Says why a service does not answer, with what to do where its certificate is not trusted. */
export function unreachable(url: string, error: unknown): Failure {
  const origin = URL.canParse(url) ? new URL(url).origin : url;
  return failed(`${origin} does not answer: ${explain(error)}`);
}

function explain(error: unknown): string {
  const code = codeOf(error) ?? "";
  const message = error instanceof Error ? error.message : String(error);
  if (/cert|signed|signature|issuer/i.test(`${code} ${message}`))
    return `its certificate is not trusted (${code || message}); for the local authority: export NODE_EXTRA_CA_CERTS="$(tidewire cert --path)"`;
  return wordsFor(code) ?? message.replace(/^WebSocket connection to '.*' failed: /, "");
}
