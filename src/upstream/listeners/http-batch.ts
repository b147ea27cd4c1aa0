import type { HandlerAuth } from "../settings.ts";
import type { Authenticator } from "../webhooks/handler-auth.ts";
import type { Targets } from "../webhooks/http/targets.ts";
import type { HttpClient, HttpFailure, HttpReply } from "../webhooks/http-client.ts";
import type { TargetOrigin } from "../webhooks/target-origin.ts";
import { parseUrlTemplate } from "../webhooks/url-template.ts";
import { attributesOf, bodyBytes, type ListenerEvent, metadataProperties } from "./event.ts";
import type { EventSink, SendFailure } from "./sink.ts";

/** What HTTP sinks share. */
export interface HttpParts {
  readonly client: HttpClient;
  readonly targets: Targets;
  createAuthenticator(auth: HandlerAuth): Authenticator | null;
  readonly userAgent: string;
  readonly timeoutMs: number;
  /** Cuts requests under way and closes the sockets. */
  close(): Promise<void>;
}

const contentType = "application/cloudevents-batch+json; charset=utf-8";
/** Node's codes of a connection that was never made: nothing of the request has left. */
const neverConnected = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

/**
 * Creates a sink that posts batches in the JSON batch format of CloudEvents, one request per hub. 2xx: taken; 429 and 503:
 * not taken, try again; other 4xx: refused, a batch is tried in parts; everything else may have been taken. Answers are
 * not read.
 * @spec E-87
 */
export function createHttpBatchSink(
  { url, auth }: { readonly url: string; readonly auth: HandlerAuth },
  parts: HttpParts,
): EventSink {
  const parsed = parseUrlTemplate(url);
  if (typeof parsed === "string") throw new Error(`a listener's url ${parsed}`); // the configuration has checked it
  const { origin } = parsed;
  if (origin === null) throw new Error("a listener's url is a tunnel"); // likewise
  const authenticator = parts.createAuthenticator(auth);
  return {
    name: `HttpBatch ${origin.href}`,
    async send(batch, signal) {
      const results = Map.groupBy(batch, ({ hub }) => hub)
        .entries()
        .map(async ([hub, events]) => {
          const path = parsed.resolve(hub, "events");
          if (path === null)
            return [{ kind: "refused", events, reason: "the URL cannot be used for the hub" } as const];
          const body = `[${events.map(structured).join(",")}]`;
          return verdict(events, await post({ ...parts, origin, authenticator }, { path, body, signal }));
        });
      return (await Promise.all(results)).flat();
    },
    close: () => parts.close(),
  };
}

interface Destination extends HttpParts {
  readonly origin: TargetOrigin;
  readonly authenticator: Authenticator | null;
}

function post(
  { client, targets, origin, authenticator, userAgent, timeoutMs }: Destination,
  request: { readonly path: string; readonly body: string; readonly signal: AbortSignal },
): Promise<HttpReply | HttpFailure> {
  return client.call({
    method: "POST",
    target: targets.of(origin, null),
    path: request.path,
    headers: ["Content-Type", contentType, "User-Agent", userAgent],
    body: request.body,
    bodyBytes: Buffer.byteLength(request.body),
    pool: "notifications",
    authenticator,
    needsBody: false,
    maxResponseBytes: 0,
    timeoutMs,
    retryDelaysMs: [],
    followsRedirects: false,
    signal: request.signal,
    onSent: null,
    onAttempt: null,
  });
}

function verdict(events: readonly ListenerEvent[], result: HttpReply | HttpFailure): readonly SendFailure[] {
  if (result.kind === "failed") {
    const isUntaken = result.cause === "refused" || neverConnected.has(result.detail);
    return [{ kind: isUntaken ? "unavailable" : "unknown", events, reason: `the request failed: ${result.detail}` }];
  }
  const { status } = result;
  if (status >= 200 && status < 300) return [];
  const reason = `the server answered ${status}`;
  if (status === 429 || status === 503) return [{ kind: "unavailable", events, reason }];
  if (status === 401 || status === 403) return [{ kind: "unavailable", events, reason }];
  return [{ kind: status >= 400 && status < 500 ? "refusedTogether" : "unknown", events, reason }];
}

/**
 * One event in the JSON format of CloudEvents. JSON data stay the text they came as; bytes are base64. An attribute must
 * not have a hyphen, so metadata are one attribute, `metadata`, with a JSON object as text.
 */
function structured(event: ListenerEvent): string {
  const { contentType: datacontenttype, body } = event;
  const attributes: Record<string, string> = { ...Object.fromEntries(attributesOf(event)), datacontenttype };
  const metadata = metadataProperties(event);
  if (metadata.size > 0) {
    const plain = Array.from(metadata, ([name, value]) => [name.slice("x-webpubsub-metadata-".length), value]);
    attributes["metadata"] = JSON.stringify(Object.fromEntries(plain));
  }
  const head = JSON.stringify(attributes).slice(0, -1);
  if (typeof body !== "string") return `${head},"data_base64":"${bodyBytes(event).toString("base64")}"}`;
  const data = datacontenttype.startsWith("application/json") ? body : JSON.stringify(body);
  return `${head},"data":${data}}`;
}
