import type { Targets } from "./http/targets.ts";
import type { HttpClient } from "./http-client.ts";
import { targetOrigin } from "./target-origin.ts";

const maxTokenBytes = 65_536;

export interface TokenRequest {
  readonly tokenUrl: string;
  readonly form: URLSearchParams;
  readonly userAgent: string;
  readonly timeoutMs: number;
}

/** Posts a form to a token endpoint; null for no reply. */
export async function requestToken(
  { client, targets }: { readonly client: HttpClient; readonly targets: Targets },
  { tokenUrl, form, userAgent, timeoutMs }: TokenRequest,
): Promise<{ readonly status: number; readonly body: string } | null> {
  const url = URL.canParse(tokenUrl) ? new URL(tokenUrl) : null;
  const origin = url === null ? null : targetOrigin(url);
  if (url === null || origin === null) return null;
  const body = form.toString();
  const result = await client.call({
    method: "POST",
    target: targets.of(origin, null),
    path: url.pathname + url.search,
    headers: [
      "Content-Type",
      "application/x-www-form-urlencoded",
      "Accept",
      "application/json",
      "User-Agent",
      userAgent,
    ],
    body,
    bodyBytes: body.length,
    pool: "blocking",
    authenticator: null,
    needsBody: true,
    maxResponseBytes: maxTokenBytes,
    timeoutMs,
    retryDelaysMs: [],
    followsRedirects: false,
    signal: null,
    onSent: null,
    onAttempt: null,
  });
  return result.kind === "reply" ? { status: result.status, body: new TextDecoder().decode(result.body) } : null;
}
