import type { MessageTrace } from "../core/message-trace.ts";
import { type HubName, parseHubName } from "../core/names.ts";
import type { Caller, Telemetry } from "../core/ports.ts";
import { readApiVersion, supportedVersions } from "./api-version.ts";
import { authorize, type RestAccess } from "./authorize.ts";
import type { Handler, RestServices } from "./call.ts";
import { createContinuations } from "./continuation.ts";
import { type Cors, createCors } from "./cors.ts";
import { badRequest, emptyReply, type Outcome, Problem, problemReply, type Reply } from "./errors.ts";
import { checkHealth } from "./health.ts";
import { Query } from "./query.ts";
import { type RestReport, redactUrl } from "./report.ts";
import { createRouter, decodeSegment, type RawParameters } from "./router.ts";
import { type Route, routes } from "./routes.ts";

/** A request below `/api`, after the front door (path base stripped, caller resolved, network rules applied). */
export interface RestRequest {
  /** Method, headers and body; its URL is not looked at. */
  readonly request: Request;
  /** Path exactly as on the request line, without path base and query. */
  readonly path: string;
  /** Query exactly as on the request line, without the question mark. */
  readonly query: string;
  readonly caller: Caller;
  /** What was stripped from the path, such as `/pubsub`; empty when there is none. */
  readonly pathBase: string;
  /** Set: the caller is known to own this hub and nothing else; neither a token nor `api-version` is looked at (T-25). */
  readonly ownedHub?: HubName;
}

/** Everything the API is built from. */
export interface RestOptions extends RestServices {
  /** Secret of the continuation tokens, the same on every node and after a restart; any length from 32 bytes. */
  readonly continuationKey: Uint8Array<ArrayBuffer>;
  /** Origins that browsers may call from, compared exactly; `*` allows all. */
  readonly corsOrigins: readonly string[];
  /** Whether the service takes work; false while it starts or drains (health, rest-api 8.4). */
  isReady(): boolean;
  /** Seconds for which the message quota is used up and sends are refused; 0: it is not (management 12). */
  throttledForSeconds(): number;
  readonly telemetry: Pick<Telemetry, "log" | "messages">;
  /** Whether all callers are known to own the service, so that no token is looked at. Default: no. */
  readonly trustsCallers?: boolean;
  /** Called once per request, before its answer is handed over. Must be cheap and must not throw. */
  report(report: RestReport): void;
}

/** The data-plane REST API, API version 2024-12-01. */
export interface Rest {
  /**
   * Answers a request. Never throws and never rejects: what goes wrong unexpectedly is a 500 without details, logged as
   * `RestOperationFailed`. Requests do not affect each other.
   * @spec rest-api 2.5 R-6 R-13 R-15
   */
  handle(request: RestRequest): Response | Promise<Response>;
}

/** A request under way, with what is found out about it; in the end it is its own report. */
class Exchange implements RestReport {
  readonly incoming: RestRequest;
  readonly startedAt: number;
  readonly trace: MessageTrace | null;
  route: Route | null = null;
  hub: HubName | null = null;
  statusCode = 0;
  durationMs = 0;

  constructor(incoming: RestRequest, startedAt: number, trace: MessageTrace | null) {
    this.incoming = incoming;
    this.startedAt = startedAt;
    this.trace = trace;
  }

  get category(): RestReport["category"] {
    return this.route?.category ?? "Uncategorized";
  }

  get routeTemplate(): string | null {
    return this.route?.template ?? null;
  }

  get httpMethod(): string {
    return this.incoming.request.method;
  }

  get callerAddress(): string {
    return this.incoming.caller.address;
  }

  url(): string {
    return redactUrl(this.incoming.path, this.incoming.query);
  }
}

/** What an authorized request goes on with. */
interface Admitted {
  readonly route: Route;
  readonly handler: Handler;
  readonly parameters: RawParameters;
  readonly access: RestAccess;
}

const preflightMethod = "OPTIONS";
const echoedRequestId = /^[\x20-\x7e]{1,128}$/;

/** Builds the API. It holds nothing of a request once that is answered, and needs no closing. */
export function createRest(options: RestOptions): Rest {
  const { clock, telemetry } = options;
  const match = createRouter(routes);
  const cors = createCors(options.corsOrigins);
  const services = { ...options, continuations: createContinuations(options.continuationKey) };
  const baseHeaders = new Headers({ "api-supported-versions": supportedVersions.join(", "), ...cors.fixed });

  let recentQuery = new Query("");

  function start(exchange: Exchange): Outcome | Promise<Outcome> {
    const { request, path, caller, ownedHub } = exchange.incoming;
    if (request.method === preflightMethod) return cors.preflight(request.headers);
    const found = match(path);
    if (found === null) return emptyReply(404);
    const route = found.methods.get(request.method);
    if (route === undefined) return methodNotAllowed(found.methods);
    exchange.route = route;
    const { handler } = route;
    if (handler === null) return checkHealth(options.isReady());
    const access = options.access();
    const ask = { request, path, caller, required: route.required };
    const isKnown = ownedHub !== undefined || options.trustsCallers === true;
    const refusal = isKnown ? null : authorize(ask, { access, clock, telemetry });
    const admitted = { route, handler, parameters: found.parameters, access };
    return refusal instanceof Promise ? judged(refusal, exchange, admitted) : (refusal ?? run(exchange, admitted));
  }

  async function judged(refusal: Promise<Problem | null>, exchange: Exchange, admitted: Admitted): Promise<Outcome> {
    return (await refusal) ?? run(exchange, admitted);
  }

  function throttled({ category }: Route): Problem | null {
    if (!category.startsWith("SendTo")) return null;
    const seconds = options.throttledForSeconds();
    if (seconds === 0) return null;
    return new Problem("throttled", "Message count reaches limit", { headers: { "retry-after": String(seconds) } });
  }

  function run(exchange: Exchange, { route, handler, parameters, access }: Admitted): Outcome | Promise<Outcome> {
    const problem = throttled(route);
    if (problem !== null) return problem;
    const { request, caller, pathBase, ownedHub } = exchange.incoming;
    const query = readQuery(exchange.incoming.query);
    const version = readApiVersion(ownedHub === undefined ? query : new Query(""));
    if (version instanceof Problem) return version;
    const name = decodeSegment(parameters.hub ?? "", options.compat.keepEncodedSlash);
    const hub = name === null ? null : parseHubName(name);
    if (hub === null) return badRequest("Invalid hub name.");
    exchange.hub = hub;
    if (ownedHub !== undefined && hub !== ownedHub) return new Problem("forbidden", "The tunnel is of another hub.");
    const { trace } = exchange;
    return handler({ request, caller, pathBase, hub, parameters, query, version, access, trace, services });
  }

  /** A caller's queries are nearly all the same, `api-version` and nothing else. */
  function readQuery(raw: string): Query {
    if (recentQuery.raw !== raw) recentQuery = new Query(raw);
    return recentQuery;
  }

  function fail(exchange: Exchange, error: unknown): Outcome {
    telemetry.log("error", "RestOperationFailed", {
      message: "A REST operation failed unexpectedly.",
      category: exchange.category,
      error: error instanceof Error ? (error.stack ?? error.message) : "unknown",
    });
    return new Problem("internalError", "The operation failed because of an internal error.");
  }

  function finish(exchange: Exchange, outcome: Outcome): Response {
    const reply = outcome instanceof Problem ? problemReply(outcome) : outcome;
    exchange.statusCode = reply.status;
    exchange.durationMs = clock.now() - exchange.startedAt;
    options.report(exchange);
    return respond(exchange.incoming.request, reply, { cors, baseHeaders });
  }

  async function settle(exchange: Exchange, pending: Promise<Outcome>): Promise<Response> {
    let outcome: Outcome;
    try {
      outcome = await pending;
    } catch (error) {
      outcome = fail(exchange, error);
    }
    return finish(exchange, outcome);
  }

  return {
    handle(request) {
      const exchange = new Exchange(request, clock.now(), telemetry.messages?.arrived() ?? null);
      let outcome: Outcome | Promise<Outcome>;
      try {
        outcome = start(exchange);
      } catch (error) {
        outcome = fail(exchange, error);
      }
      return outcome instanceof Promise ? settle(exchange, outcome) : finish(exchange, outcome);
    },
  };
}

/** @spec R-13 */
function methodNotAllowed(methods: ReadonlyMap<string, Route>): Outcome {
  return { status: 405, json: null, headers: { allow: [...methods.keys(), preflightMethod].join(", ") } };
}

/** @spec R-6 R-37 R-38 */
function respond(
  request: Request,
  reply: Reply,
  { cors, baseHeaders }: { readonly cors: Cors; readonly baseHeaders: Headers },
): Response {
  const body = request.method === "HEAD" ? null : reply.json;
  const response = new Response(body, { status: reply.status, headers: baseHeaders });
  const { headers } = response;
  if (body !== null) headers.set("content-type", "application/json; charset=utf-8");
  for (const name in reply.headers) headers.set(name, reply.headers[name] ?? "");
  cors.addTo(headers, request.headers);
  const requestId = request.headers.get("x-ms-client-request-id");
  if (requestId !== null && echoedRequestId.test(requestId)) headers.set("x-ms-client-request-id", requestId);
  return response;
}
