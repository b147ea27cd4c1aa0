import type { AccessKey } from "../auth/access-keys.ts";
import type { AudienceValidator } from "../auth/audience.ts";
import { readBearerToken } from "../auth/bearer.ts";
import { flattenClaims, readClientIdentity } from "../auth/client-token.ts";
import type { ReconnectionTokens } from "../auth/reconnection-tokens.ts";
import type { TokenClaims } from "../auth/verify.ts";
import { clientTokenAlgorithms, verifyKeyToken } from "../auth/verify.ts";
import { endings } from "../core/endings.ts";
import type { Executor } from "../core/execute.ts";
import type { Limits } from "../core/limits.ts";
import type { GroupName, HubName } from "../core/names.ts";
import { parseGroupName, parseUserId } from "../core/names.ts";
import type { RoleRules } from "../core/permissions.ts";
import { parseRoles } from "../core/permissions.ts";
import type {
  ConnectOutcome,
  Endpoint,
  EventSource,
  IdSource,
  Telemetry,
  UpgradeDecision,
  UpgradeRequest,
} from "../core/ports.ts";
import type { AnyCodec } from "../protocols/registry.ts";
import { chooseSubprotocol, parseOffers } from "../protocols/registry.ts";
import type { SimpleMode } from "../protocols/simple/mode.ts";
import { parseSimpleMode } from "../protocols/simple/mode.ts";
import type { ClientRequest } from "./client-request.ts";
import { lastParameter, parseClientRequest } from "./client-request.ts";
import { connectEvent } from "./connect-event.ts";
import type { RecoveryOptions } from "./recovery.ts";
import { recover, recoveredId } from "./recovery.ts";
import { Session } from "./session.ts";

/** What the gateway reads of the settings; read at each handshake, so that they can change. */
export interface GatewaySettings {
  /** Keys that may have signed a client token: access keys, unless local auth is off, and the key of minted tokens. */
  readonly tokenKeys: readonly AccessKey[];
  readonly audience: AudienceValidator;
  readonly clockSkewSeconds: number;
  hub(name: HubName): { readonly anonymous: boolean; readonly allowedOrigins: readonly string[] };
}

export interface GatewayOptions extends Executor {
  readonly reconnectionTokens: ReconnectionTokens;
  readonly ids: IdSource;
  readonly telemetry: Telemetry;
  settings(): GatewaySettings;
  /** False while the service drains: no new clients (M-61). */
  acceptsClients(): boolean;
  /** Seconds for which the message quota is used up; 0: it is not (management 12). */
  throttledForSeconds(): number;
}

/** Who a client turned out to be, and what it starts with. */
interface Identity {
  readonly userId: string;
  readonly roles: readonly string[];
  readonly groups: readonly GroupName[];
  readonly subprotocol: string | null;
}

/** Parsed role lists that are kept, because most clients of an application carry the same few. Ours. */
const roleCacheSize = 256;
/** Longest role list that is kept, in characters of its JSON: the cache stays below a few megabytes. Ours. */
const roleCacheKeyLength = 4096;

/** The endpoint `/client/hubs/{hub}` (and `/client/?hub=`): handshake, `connect` event, binding of socket and connection. */
export function createClientEndpoint(options: GatewayOptions): Endpoint {
  return new ClientEndpoint(options);
}

class ClientEndpoint implements Endpoint {
  readonly #options: GatewayOptions;
  readonly #roles = new Map<string, RoleRules>();
  #rolesLimits: Limits | null = null;
  readonly #hosts = new Map<string, string>();
  /** Sessions of reliable connections: they outlive their sockets. */
  readonly #sessions = new WeakMap<object, Session>();
  readonly #recovery: RecoveryOptions;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { service, reconnectionTokens: tokens } = options;
    this.#recovery = { service, tokens, sessionOf: (connection) => this.#sessions.get(connection) ?? null };
  }

  async upgrade(request: UpgradeRequest): Promise<UpgradeDecision> {
    const decision = await this.#decide(request);
    this.#options.telemetry.handshake(decision.accept ? 101 : decision.status, "WebPubSub");
    return decision;
  }

  /** The order of client-protocols 2.4. */
  async #decide(request: UpgradeRequest): Promise<UpgradeDecision> {
    const parsed = parseClientRequest(request);
    if (!parsed.ok) return refuse(parsed.status, parsed.body);
    if (!request.isUpgrade) return refuse(400);
    const client = parsed.value;
    // Before everything about new clients: this one is here already (M-61).
    if (recoveredId(client) !== null) return recover(this.#recovery, request, client);
    if (!this.#options.acceptsClients()) return refuse(503);
    const throttledFor = this.#options.throttledForSeconds();
    if (throttledFor > 0) return { ...refuse(429), headers: { "Retry-After": String(throttledFor) } };
    const settings = this.#options.settings();
    const hub = settings.hub(client.hub);
    if (!isAllowedOrigin(hub.allowedOrigins, request.headers.get("origin"))) return refuse(403); // H-54

    const token =
      lastParameter(client.parameters, "access_token") ?? readBearerToken(request.headers.get("authorization"));
    if (token === null && !hub.anonymous) return unauthorized; // C-5
    const claims = token === null ? {} : this.#verify(token, { request, client, settings });
    if (claims === null) return unauthorized; // C-6, M-14
    const { userId, roles, groups } = readClientIdentity(claims);
    const parsedGroups = parseGroups(groups);
    if (parsedGroups === null) return refuse(400, "The token contains an invalid group name."); // C-14
    const mode = parseSimpleMode(client.parameters);
    if (typeof mode === "string") return refuse(400, mode); // C-67

    const { service } = this.#options;
    if (!service.reserve()) {
      const message = "Connection count reaches limit";
      this.#options.telemetry.log("warning", "ConnectionCountLimitReached", { message, hub: client.hub });
      return refuse(429); // M-44
    }
    const decision = await this.#connect(
      { request, client, mode, claims },
      { userId: userId ?? "", roles, groups: parsedGroups, subprotocol: null },
    );
    if (!decision.accept) service.release();
    return decision;
  }

  #verify(
    token: string,
    context: { readonly request: UpgradeRequest; readonly client: ClientRequest; readonly settings: GatewaySettings },
  ): TokenClaims | null {
    const { request, client, settings } = context;
    const check = verifyKeyToken(token, settings.tokenKeys, {
      algorithms: clientTokenAlgorithms,
      nowSeconds: this.#options.clock.now() / 1000,
      skewSeconds: settings.clockSkewSeconds,
    });
    const { telemetry } = this.#options;
    if (!check.ok) {
      telemetry.log("info", "ClientTokenRefused", {
        message: "A client's token was refused.",
        reason: check.reason,
        hub: client.hub,
      });
      return null;
    }
    const [host = "", forwardedHost = null] = request.caller.audienceHosts;
    const audience = settings.audience.checkClient(check.claims, {
      kind: "default",
      hub: client.hubText,
      hubInQuery: client.hubInQuery,
      host,
      forwardedHost,
    });
    if (audience.ok) return check.claims;
    telemetry.log("warning", "AudienceRefused", { message: audience.message, hub: client.hub });
    return null;
  }

  /** Asks the `connect` handler, if there is one, and settles who the connection is. A place is reserved already. */
  async #connect(
    handshake: {
      readonly request: UpgradeRequest;
      readonly client: ClientRequest;
      readonly mode: SimpleMode;
      readonly claims: TokenClaims;
    },
    token: Identity,
  ): Promise<UpgradeDecision> {
    const { request, client, mode } = handshake;
    const { upstream, ids } = this.#options;
    const offers = parseOffers(request.headers.get("sec-websocket-protocol"));
    const source: EventSource = {
      hub: client.hub,
      id: ids.connectionId(),
      userId: parseUserId(token.userId),
      subprotocol: null,
      requestHost: this.#requestHost(request),
      takeEventId: () => 0,
      upstreamSession: null,
    };
    let identity = token;
    let asked = false;
    if (upstream.wantsConnect(client.hub)) {
      asked = true;
      const event = connectEvent(request, client, { claims: flattenClaims(handshake.claims), subprotocols: offers });
      const outcome = await upstream.connect(source, event, request.signal);
      if (outcome.kind === "refused") return refuse(outcome.status, outcome.body); // C-16, C-17
      identity = override(token, outcome);
    }
    const choice = chooseSubprotocol(offers, identity.subprotocol);
    if (choice === "notOffered") {
      upstream.disconnected(
        unopened(source, identity),
        "The connect handler chose a subprotocol that was not offered.",
      );
      return refuse(500); // E-41
    }
    if (asked && !this.#options.acceptsClients()) {
      upstream.disconnected(unopened(source, identity), endings.shutdown.reason);
      return refuse(503); // the drain began while the handler thought (M-61)
    }
    return this.#accept(source, identity, { ...choice, mode, asked, callerAddress: request.caller.address });
  }

  #accept(
    source: EventSource,
    identity: Identity,
    speech: {
      readonly subprotocol: string | null;
      readonly codec: AnyCodec;
      readonly mode: SimpleMode;
      readonly asked: boolean;
      readonly callerAddress: string;
    },
  ): UpgradeDecision {
    const { service, upstream } = this.#options;
    const { subprotocol, codec, mode, asked, callerAddress } = speech;
    return {
      accept: true,
      subprotocol,
      open: (sink) => {
        const connection = service.open(
          {
            hub: source.hub,
            id: source.id,
            userId: parseUserId(identity.userId),
            roles: this.#rolesOf(identity.roles),
            groups: identity.groups,
            subprotocol: codec.subprotocol ?? subprotocol,
            format: codec,
            requestHost: source.requestHost,
            callerAddress,
            upstreamSession: source.upstreamSession,
          },
          sink,
        );
        const session = new Session(this.#options, connection, { codec, state: codec.initial(mode) });
        if (connection.replay === null) return session;
        this.#sessions.set(connection, session);
        return session.eventsOf(sink);
      },
      abandoned: () => {
        service.release();
        if (asked) upstream.disconnected(unopened(source, identity), "The connection was lost.");
      },
    };
  }

  #rolesOf(roles: readonly string[]): RoleRules {
    const { limits } = this.#options.service;
    if (limits !== this.#rolesLimits) {
      // A reload changed what roles may grant.
      this.#rolesLimits = limits;
      this.#roles.clear();
    }
    const key = JSON.stringify(roles);
    const cached = this.#roles.get(key);
    if (cached !== undefined) return cached;
    const rules = parseRoles(roles, limits);
    if (key.length > roleCacheKeyLength) return rules;
    if (this.#roles.size >= roleCacheSize) this.#roles.clear();
    this.#roles.set(key, rules);
    return rules;
  }

  /** Host of the request without port; one string for all connections that dialled it, since each keeps it. */
  #requestHost(request: UpgradeRequest): string {
    const { host } = request.caller;
    const known = this.#hosts.get(host);
    if (known !== undefined) return known;
    const name = host.replace(/:\d+$/, "");
    if (this.#hosts.size < roleCacheSize) this.#hosts.set(host, name);
    return name;
  }
}

/** A connection that a handler said yes to and that came to nothing; the handler is told so (event-handlers 6.3). */
function unopened(source: EventSource, identity: Identity): EventSource {
  return { ...source, userId: parseUserId(identity.userId), takeEventId: () => 1 };
}

const unauthorized: UpgradeDecision = {
  accept: false,
  status: 401,
  body: "",
  headers: { "WWW-Authenticate": "Bearer" },
};

function refuse(status: number, body = ""): UpgradeDecision & { accept: false } {
  return { accept: false, status, body };
}

function isAllowedOrigin(allowed: readonly string[], origin: string | null): boolean {
  return (
    origin === null ||
    allowed.length === 0 ||
    allowed.includes("*") ||
    allowed.some((each) => each.toLowerCase() === origin.toLowerCase())
  );
}

function parseGroups(groups: readonly string[]): readonly GroupName[] | null {
  const parsed: GroupName[] = [];
  for (const group of groups) {
    const name = parseGroupName(group);
    if (name === null) return null;
    parsed.push(name);
  }
  return parsed;
}

/** What the handler did not mention stays as the token says (E-36 to E-40). */
function override(token: Identity, outcome: Extract<ConnectOutcome, { kind: "accepted" }>): Identity {
  return {
    userId: outcome.userId ?? token.userId,
    roles: outcome.roles ?? token.roles,
    groups: outcome.groups ?? token.groups,
    subprotocol: outcome.subprotocol ?? null,
  };
}
