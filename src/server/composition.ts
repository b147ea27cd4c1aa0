import { createReconnectionTokens } from "../auth/reconnection-tokens.ts";
import { createInProcessBackplane } from "../cluster/in-process.ts";
import { billedMessages } from "../core/billed-messages.ts";
import { createFilterCache } from "../core/filter/filter-cache.ts";
import { Inspector } from "../core/inspection.ts";
import { MessageQuota } from "../core/message-quota.ts";
import { Service } from "../core/service.ts";
import { createFrontDoor, type FrontDoorOptions } from "../front/front-door.ts";
import { createClientEndpoint } from "../gateway/client-endpoint.ts";
import type { LiveTrace } from "../live-trace/live-trace.ts";
import { createTraceEndpoint } from "../live-trace/trace-endpoint.ts";
import type { ServiceTelemetry } from "../observability/telemetry.ts";
import { createRest, type Rest, type RestOptions } from "../rest/rest.ts";
import type { ListenOptions } from "../transport/listener.ts";
import type { Traffic } from "../transport/socket.ts";
import { createSinks } from "../upstream/listeners/create-sink.ts";
import { createEventListeners, type EventListeners } from "../upstream/listeners/listeners.ts";
import { createTunnelEndpoint } from "../upstream/tunnel/tunnel-endpoint.ts";
import { Tunnels } from "../upstream/tunnel/tunnels.ts";
import { createUpstream, type WebhookUpstream } from "../upstream/upstream.ts";
import { createIdSource, createNodeId } from "./ids.ts";
import { continuationKey, type LiveSettings } from "./live-settings.ts";
import { systemClock, systemScheduler } from "./time.ts";
import { listenersSettings, tunnelLimits, upstreamSettings } from "./upstream-settings.ts";
import { version } from "./version.ts";

/** Parsed filters kept; a REST caller repeats the same few. Ours. */
const filterCacheSize = 512;

export interface CompositionOptions {
  readonly telemetry: ServiceTelemetry;
  readonly liveTrace: LiveTrace;
  /** The settings in force; asked at each use. */
  readonly live: () => LiveSettings;
  /** Whether the service takes work: false before it is ready and while it stops. */
  readonly isReady: () => boolean;
}

/** The rooms of one service, joined. */
export interface Composition {
  readonly service: Service;
  readonly inspector: Inspector;
  readonly upstream: WebhookUpstream;
  readonly tunnels: Tunnels;
  readonly listeners: EventListeners;
  readonly traffic: Traffic;
  readonly handle: ListenOptions["handle"];
  /** The data-plane API for callers that are known to own the service. */
  readonly ownerRest: Rest["handle"];
  /** Asks the event handlers of configured hubs whether they may be called; the answers are only logged. */
  warmUp(): void;
  /** Takes over what is built from settings and not asked for at each use. */
  reload(): void;
}

/** Joins the rooms: the only place that knows all of them. */
export function compose(options: CompositionOptions): Composition {
  const { telemetry, live } = options;
  const ports = { clock: systemClock, scheduler: systemScheduler };
  const quota = new MessageQuota({
    ...ports,
    limit: () => live().config.limits.maxMessagesPerDay,
    exceeded() {
      telemetry.log("warning", "MessageCountLimitReached", { message: "Message count reaches limit" });
      service.endAll("messageQuota");
    },
  });
  const traffic: Traffic = {
    inbound: (bytes) => telemetry.inbound(bytes),
    outbound(bytes, messages) {
      telemetry.outbound(bytes, messages);
      quota.count(messages);
    },
  };
  const billed = billedTelemetry(telemetry, quota);
  const tunnels = new Tunnels({
    ...ports,
    telemetry,
    rest: ({ hub, ...call }) => rest.handle({ ...call, pathBase: live().config.service.pathBase, ownedHub: hub }),
    limits: () => tunnelLimits(live().config),
  });
  const listeners = createEventListeners({
    ...ports,
    settings: listenersSettings(live().config),
    telemetry: billed,
    createSink: createSinks({ ...ports, telemetry, version, targets: () => live().config.upstream.targets }),
  });
  const upstream = createUpstream({
    ...ports,
    listeners,
    settings: upstreamSettings(live().config),
    telemetry: billed,
    version,
    tunnels,
    signer: () => live().sign,
  });
  const reconnectionTokens = createReconnectionTokens();
  const nodeId = createNodeId();
  const service = new Service({
    ...ports,
    nodeId,
    backplane: createInProcessBackplane(),
    upstream,
    telemetry,
    limits: () => live().limits,
    keepAliveSeconds: (hub) => live().keepAliveSeconds(hub),
    reconnectionToken: (id) => reconnectionTokens.issue(id),
  });
  // A disabled region endpoint drains the node: existing connections stay (M-61).
  const isTakingClients = (): boolean =>
    options.isReady() && live().config.properties.regionEndpointEnabled === "Enabled";
  const throttledForSeconds = (): number => quota.secondsToWait();
  const endpoint = createClientEndpoint({
    service,
    upstream,
    clock: systemClock,
    ids: createIdSource(nodeId),
    reconnectionTokens,
    telemetry,
    settings: () => live().gateway,
    acceptsClients: isTakingClients,
    throttledForSeconds,
  });
  const filters = createFilterCache(filterCacheSize);
  const buildRest = ({ config }: LiveSettings, own: Pick<RestOptions, "corsOrigins" | "trustsCallers">): Rest =>
    createRest({
      ...own,
      operations: service,
      clock: systemClock,
      filters,
      access: () => live().restAccess,
      maxBodyBytes: config.limits.maxMessageBytes,
      compat: config.compat,
      continuationKey: continuationKey(config.service.keys),
      isReady: isTakingClients,
      throttledForSeconds,
      telemetry,
      report: (report) => telemetry.rest(report),
    });
  const publicRest = (settings: LiveSettings): Rest =>
    buildRest(settings, { corsOrigins: settings.config.cors.allowedOrigins });
  const restOfOwner = (settings: LiveSettings): Rest => buildRest(settings, { corsOrigins: [], trustsCallers: true });
  let rest = publicRest(live());
  let ownerRest = restOfOwner(live());
  const handle = createFrontDoor({
    pathBase: live().config.service.pathBase,
    endpoint,
    ...otherEndpoints(options, tunnels),
    rest: (request) => rest.handle(request),
    settings: () => live().frontDoor,
  });
  const warmUp = (): void => upstream.warmUp([...live().config.hubs.keys()]);
  return {
    service,
    inspector: new Inspector({ ...ports, service }),
    upstream,
    tunnels,
    listeners,
    traffic,
    handle,
    ownerRest: (request) => ownerRest.handle(request),
    warmUp,
    reload() {
      rest = publicRest(live());
      ownerRest = restOfOwner(live());
      upstream.reload(upstreamSettings(live().config));
      listeners.reload(listenersSettings(live().config));
      warmUp();
    },
  };
}

/** What leaves for applications is outbound traffic too (M-45). */
function billedTelemetry(telemetry: ServiceTelemetry, quota: MessageQuota): ServiceTelemetry {
  return {
    ...telemetry,
    webhook(report) {
      telemetry.webhook(report);
      quota.count(billedMessages(report.bytes));
    },
    listenerSent(type, sent) {
      telemetry.listenerSent(type, sent);
      quota.count(sent.messages);
    },
  };
}

/** The endpoints that are not for clients: application servers behind tunnels, live trace views. */
function otherEndpoints(
  { telemetry, liveTrace, live, isReady }: CompositionOptions,
  tunnels: Tunnels,
): Pick<FrontDoorOptions, "serverEndpoint" | "traceEndpoint"> {
  const access = (): LiveSettings["restAccess"] => live().restAccess;
  // Those of clients: while applications have no keys, the service still lets in whom it gave a token itself.
  const traceAccess = (): LiveSettings["restAccess"] => ({ ...live().restAccess, keys: live().gateway.tokenKeys });
  const maxContentBytes = (): number => live().config.limits.tunnel.maxContentBytes;
  const shared = { clock: systemClock, telemetry, access };
  return {
    serverEndpoint: createTunnelEndpoint({ ...shared, tunnels, maxContentBytes, acceptsServers: isReady }),
    traceEndpoint: createTraceEndpoint({ ...shared, access: traceAccess, liveTrace, acceptsViewers: isReady }),
  };
}
