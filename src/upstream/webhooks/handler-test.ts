import type { Clock, Scheduler } from "../../core/ports.ts";
import type { EventHandlerSettings, ResolveHost, UpstreamSettings } from "../settings.ts";
import { createTargets } from "./http/targets.ts";
import { createHttpClient, type HttpFailure } from "./http-client.ts";
import { createTargetGuard } from "./target-policy.ts";
import { parseUrlTemplate, type UrlTemplate } from "./url-template.ts";
import { requestOrigin, type Validation, validate, validationHeaders, validationSender } from "./validation.ts";

/** What a test of an event handler came to. */
export type HandlerTestOutcome =
  | "allowed"
  /** It answered, but not that events may be sent. */
  | "refused"
  | "unreachable"
  | "timedOut"
  /** It may not be called, see `upstream.targets`. */
  | "blocked"
  | "invalidResponse"
  /** Its URL cannot be used. */
  | "invalid"
  | "tunnelConnected"
  | "noTunnel";

/** One validation, to be looked at by a person; with the secrets of the handler's URL. */
export interface HandlerTest {
  readonly outcome: HandlerTestOutcome;
  /** A sentence. */
  readonly message: string;
  /** The last request and what was answered to it; null for none. */
  readonly request: {
    readonly method: string;
    readonly url: string;
    /** `[name, value, …]`. */
    readonly headers: readonly string[];
  } | null;
  readonly response: {
    readonly status: number;
    /** `[name, value, …]`. */
    readonly headers: readonly string[];
    readonly body: string;
  } | null;
  readonly durationMs: number;
}

/** Which handler is tested, and as what. */
export interface HandlerUnderTest {
  readonly handler: EventHandlerSettings;
  readonly hub: string;
  /** Host by which clients reach the service, without port; unless settings name another origin. */
  readonly requestHost: string;
}

/** What a test works with. */
export interface HandlerTestParts {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly settings: UpstreamSettings;
  readonly resolveHost: ResolveHost | undefined;
  hasTunnel(hub: string): boolean;
}

const failures = {
  timeout: "timedOut",
  aborted: "unreachable",
  network: "unreachable",
  refused: "blocked",
  invalidReply: "invalidResponse",
  invalidRequest: "invalid",
} as const satisfies Record<HttpFailure["cause"], HandlerTestOutcome>;

/** Sockets to the handler; a test needs one. */
const maxSockets = 1;

/**
 * Validates a handler once, as before its first event, but for the retries. On sockets of its own and into no record: what a
 * test finds changes nothing for events. Never rejects.
 */
export async function testHandler(subject: HandlerUnderTest, parts: HandlerTestParts): Promise<HandlerTest> {
  const { handler, hub } = subject;
  const template = parseUrlTemplate(handler.urlTemplate);
  if (typeof template === "string") return without("invalid", `The URL ${template}.`);
  if (template.origin === null) return testTunnel(subject, parts);
  const path = template.resolve(hub, "validate");
  if (path === null) return without("invalid", "The URL cannot be used for this hub.");
  return testUrl(subject, parts, { template, path });
}

async function testUrl(
  { handler, requestHost }: HandlerUnderTest,
  { clock, scheduler, settings, resolveHost }: HandlerTestParts,
  { template, path }: { readonly template: UrlTemplate; readonly path: string },
): Promise<HandlerTest> {
  const { origin } = template;
  if (origin === null) return without("invalid", "The URL is that of a tunnel.");
  const guard = createTargetGuard(settings.targets, resolveHost);
  const targets = createTargets({ scheduler, guard, maxSocketsPerHost: maxSockets });
  const target = () => targets.of(origin, handler.tls ?? null);
  const send = validationSender(createHttpClient({ clock, scheduler }), { target, path, retryDelaysMs: [] });
  const url = template.href + path;
  const ownOrigin = requestOrigin(settings, requestHost);
  const startedAt = clock.now();
  const validation = await validate({ url, origin: ownOrigin, send }, settings.publicHosts);
  targets.close();
  const { method, result } = validation;
  return {
    ...verdict(validation, ownOrigin),
    request: {
      method,
      url,
      headers: ["Host", origin.host, ...validationHeaders(ownOrigin), "Connection", "keep-alive"],
    },
    response:
      result.kind === "failed"
        ? null
        : { status: result.status, headers: result.headers.lines, body: new TextDecoder().decode(result.body) },
    durationMs: clock.now() - startedAt,
  };
}

function verdict({ problem, result }: Validation, origin: string): Pick<HandlerTest, "outcome" | "message"> {
  if (result.kind === "failed") {
    const outcome = failures[result.cause];
    return { outcome, message: `The handler did not answer: ${result.detail}.` };
  }
  const { status } = result;
  if (problem === null) return { outcome: "allowed", message: `The handler answered ${status} and takes events.` };
  const message =
    status >= 200 && status <= 299
      ? `The handler answered ${status}, but its WebHook-Allowed-Origin names neither ${origin} nor *.`
      : `The handler answered ${status}; events are sent only after a 2xx answer with WebHook-Allowed-Origin.`;
  return { outcome: "refused", message };
}

/** Tunnels are not validated: they have shown a key (T-19). */
async function testTunnel(subject: HandlerUnderTest, parts: HandlerTestParts): Promise<HandlerTest> {
  const { handler, hub } = subject;
  if (parts.hasTunnel(hub))
    return without("tunnelConnected", "An application is connected by tunnel and takes events.");
  const { whenNoTunnel = "fail" } = handler;
  const absence = `No application is connected by tunnel for hub ${hub}`;
  if (whenNoTunnel === "fail") return without("noTunnel", `${absence}, so events fail.`);
  if (whenNoTunnel === "next") return without("noTunnel", `${absence}, so events go to the next handler.`);
  const instead = await testHandler({ ...subject, handler: { ...handler, urlTemplate: whenNoTunnel } }, parts);
  return { ...instead, message: `${absence}, so events go to whenNoTunnel. ${instead.message}` };
}

function without(outcome: HandlerTestOutcome, message: string): HandlerTest {
  return { outcome, message, request: null, response: null, durationMs: 0 };
}
