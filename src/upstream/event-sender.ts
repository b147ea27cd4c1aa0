import type { CancelSignal } from "../core/cancellation.ts";
import type { MessageTrace } from "../core/message-trace.ts";
import type { Metadata } from "../core/payload.ts";
import type { EventSource } from "../core/ports.ts";
import type { EventSession } from "./event-session.ts";

import type {
  EventRequestFacts,
  UpstreamOptions,
  UpstreamSettings,
  WebhookOutcome,
  WebhookReport,
} from "./settings.ts";
import { AbuseProtection } from "./webhooks/abuse-protection.ts";

import { bodySize, eventHeaders } from "./webhooks/headers.ts";
import { createTargets, type Targets } from "./webhooks/http/targets.ts";
import {
  createHttpClient,
  type HttpClient,
  type HttpFailure,
  type HttpReply,
  isSuccess,
} from "./webhooks/http-client.ts";
import type { Handler } from "./webhooks/routing.ts";
import type { Target } from "./webhooks/target.ts";
import { createTargetGuard } from "./webhooks/target-policy.ts";
import { requestToken } from "./webhooks/token-request.ts";
import { requestOrigin, type ValidationSubject, validationSender, withoutQuery } from "./webhooks/validation.ts";

/** One event on its way to one handler. */
export interface OutgoingEvent {
  readonly source: EventSource;
  readonly session: EventSession;
  readonly handler: Handler;
  readonly kind: "sys" | "user" | "gp";
  readonly event: string;
  readonly id: number;
  readonly timeMs: number;
  readonly connectionState: string | null;
  readonly contentType: string;
  readonly body: string | Uint8Array;
  readonly metadata: Metadata | null;
  readonly trace: MessageTrace | null;
  /** Null: nobody asks what is exchanged. `send` fills it in. */
  readonly exchange: { requestHeaders: readonly string[] } | null;
  readonly isBlocking: boolean;
  readonly signal: CancelSignal | null;
  readonly onSent: (() => void) | null;
}

/** Ours. */
const tokenTimeoutMs = 10_000;

const outcomes = {
  timeout: "timedOut",
  aborted: "aborted",
  network: "unreachable",
  refused: "unreachable",
  invalidReply: "invalidResponse",
  invalidRequest: "invalidResponse",
} as const satisfies Record<HttpFailure["cause"], WebhookOutcome>;

/** Validates handlers and sends events to them, with the sockets and validation records of this node. */
export class EventSender {
  readonly #options: UpstreamOptions;
  readonly #abuse: AbuseProtection;
  readonly #client: HttpClient;
  readonly #userAgent: string;
  #settings: UpstreamSettings;
  #targets: Targets;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#userAgent = `tidewire/${options.version}`;
    this.#targets = this.#createTargets();
    this.#client = createHttpClient(options);
    this.#abuse = new AbuseProtection({
      clock: options.clock,
      telemetry: options.telemetry,
      publicHosts: () => this.#settings.publicHosts,
      retryOnDemand: () => this.#settings.retryOnDemand,
    });
  }

  /** Requests in flight finish on the sockets they have; later ones see the new settings. */
  reload(settings: UpstreamSettings): void {
    this.#settings = settings;
    this.#targets.retire();
    this.#targets = this.#createTargets();
  }

  /** Cuts all requests and closes the sockets. */
  close(): void {
    this.#client.abortAll();
    this.#targets.close();
  }

  /**
   * Sends an event to its handler, validated before. Resolves with the last answer; never rejects. Everything but a 2xx
   * answer is reported already; of that the caller reports with `report` what became of it.
   */
  async send(event: OutgoingEvent): Promise<HttpReply | HttpFailure> {
    const { source, handler } = event;
    const path = handler.template?.resolve(source.hub, event.event) ?? null;
    if (handler.template === null || path === null)
      return this.#refuse(event, "the handler's URL cannot be used for it");
    const { href } = handler.template;
    const ownOrigin = requestOrigin(this.#settings, source.requestHost);
    const validation = this.#isValid(handler, source.hub, ownOrigin);
    const isValid = typeof validation === "boolean" ? validation : await validation;
    if (!isValid) return this.#refuse(event, "the handler is not validated");

    const url = href + path;
    const shared = event.session.headers(source, {
      origin: ownOrigin,
      signer: this.#options.signer(),
      userAgent: this.#userAgent,
    });
    const headers =
      shared === null
        ? null
        : eventHeaders(shared, {
            type: `azure.webpubsub.${event.kind}.${event.event}`,
            eventName: event.event,
            id: event.id,
            timeMs: event.timeMs,
            contentType: event.contentType,
            connectionState: event.connectionState,
            requestId: crypto.randomUUID(),
            cookie: event.session.cookieHeader(url),
            metadata: event.metadata,
          });
    if (shared === null || headers === null) return this.#refuse(event, "a header of it cannot be sent");

    if (event.exchange !== null) event.exchange.requestHeaders = headers;
    const { body } = event;
    const { maxResponseBytes, timeoutMs, retryDelaysMs } = this.#settings;
    const bodyBytes = bodySize(body);
    const result = await this.#client.call({
      method: "POST",
      target: this.#target(event, handler),
      path,
      headers,
      body: typeof body === "string" && !shared.isAscii ? Buffer.from(body) : body,
      bodyBytes,
      pool: event.isBlocking ? "blocking" : "notifications",
      authenticator: handler.authenticator,
      needsBody: event.isBlocking,
      maxResponseBytes,
      timeoutMs,
      retryDelaysMs,
      followsRedirects: true,
      signal: event.signal,
      onSent: event.onSent,
      onAttempt: (attempt) => this.#reportAttempt(event, attempt, { url, bytes: bodyBytes }),
    });
    if (result.kind === "reply" && isSuccess(result.status)) {
      event.session.storeCookies(result.headers.setCookies, result.url); // E-32
    }
    return result;
  }

  /** Reports what became of a 2xx answer; `problem` says why it could not be used. */
  report(event: OutgoingEvent, reply: HttpReply, problem: string | null): void {
    this.#options.telemetry.webhook({
      ...eventFacts(event.source.hub, event),
      outcome: problem === null ? "succeeded" : "invalidResponse",
      status: reply.status,
      durationMs: reply.durationMs,
      bytes: bodySize(event.body),
      url: withoutQuery(reply.url),
      connectionId: event.source.id,
      userId: event.source.userId,
      detail: problem,
      trace: event.trace,
      exchange: exchangeOf(event, reply),
    });
  }

  /** Validates a handler ahead of its first event, under the default origin; without one there is nothing to ask for. */
  warmUp(handler: Handler, hub: string): void {
    const ownOrigin = requestOrigin(this.#settings, "");
    const subject = ownOrigin === "" ? null : this.#subject(handler, hub, ownOrigin);
    if (subject !== null) this.#abuse.warmUp(subject);
  }

  /** Posts a form to a token endpoint; null for no reply. */
  async fetchToken(tokenUrl: string, form: URLSearchParams): Promise<{ status: number; body: string } | null> {
    const timeoutMs = Math.min(tokenTimeoutMs, this.#settings.timeoutMs);
    const sockets = { client: this.#client, targets: this.#targets };
    return await requestToken(sockets, { tokenUrl, form, userAgent: this.#userAgent, timeoutMs });
  }

  #createTargets(): Targets {
    const { targets, maxSocketsPerHost } = this.#settings;
    const { resolveHost, scheduler } = this.#options;
    return createTargets({ scheduler, guard: createTargetGuard(targets, resolveHost), maxSocketsPerHost });
  }

  #target({ source, session, event, isBlocking }: OutgoingEvent, { template, tls }: Handler): Target {
    const origin = template?.origin ?? null;
    if (origin !== null) return this.#targets.of(origin, tls);
    return this.#options.tunnels.eventTarget(source.hub, session, { event, connectionId: source.id, isBlocking });
  }

  #isValid(handler: Handler, hub: string, ownOrigin: string): boolean | Promise<boolean> {
    const subject = this.#subject(handler, hub, ownOrigin);
    return subject === null ? handler.template?.origin === null : this.#abuse.check(subject);
  }

  /** What has to be validated before events go there; null for tunnels, which have shown a key (T-19). */
  #subject({ template, tls }: Handler, hub: string, ownOrigin: string): ValidationSubject | null {
    const origin = template?.origin ?? null;
    const path = template?.resolve(hub, "validate") ?? null;
    if (origin === null || path === null) return null;
    return {
      url: origin.href + path,
      origin: ownOrigin,
      send: validationSender(this.#client, {
        target: () => this.#targets.of(origin, tls),
        path,
        retryDelaysMs: this.#settings.retryDelaysMs,
      }),
    };
  }

  #refuse(event: OutgoingEvent, detail: string): HttpFailure {
    const { source } = event;
    const message = `The ${event.event} event of hub ${source.hub} was not sent: ${detail}.`;
    this.#options.telemetry.log("warning", "EventNotSent", { message, hub: source.hub, connectionId: source.id });
    return { kind: "failed", cause: "invalidRequest", detail, durationMs: 0 };
  }

  #reportAttempt(
    event: OutgoingEvent,
    attempt: HttpReply | HttpFailure,
    sent: { readonly url: string; readonly bytes: number },
  ): void {
    const isReply = attempt.kind === "reply";
    this.#options.telemetry.webhook({
      ...eventFacts(event.source.hub, event),
      outcome: isReply ? "unexpectedStatus" : outcomes[attempt.cause],
      status: isReply ? attempt.status : null,
      durationMs: attempt.durationMs,
      bytes: sent.bytes,
      url: withoutQuery(sent.url),
      connectionId: event.source.id,
      userId: event.source.userId,
      detail: isReply ? null : attempt.detail,
      trace: event.trace,
      exchange: exchangeOf(event, attempt),
    });
  }
}

/** What telemetry calls an event. */
export function eventFacts(
  hub: string,
  event: { readonly kind: OutgoingEvent["kind"]; readonly event: string },
): EventRequestFacts {
  return { hub, event: event.event, type: event.kind === "user" ? "user" : "sys" };
}

function exchangeOf({ exchange, body }: OutgoingEvent, result: HttpReply | HttpFailure): WebhookReport["exchange"] {
  if (exchange === null) return null;
  const answer = result.kind === "reply" ? { headers: result.headers.lines, body: result.body } : null;
  return { requestHeaders: exchange.requestHeaders, requestBody: body, answer };
}
