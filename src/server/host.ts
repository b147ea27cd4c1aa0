import { createInProcessBackplane } from "../cluster/in-process.ts";
import type { Config } from "../config/config.ts";
import { clientEndpoints, connectionStrings } from "../config/config.ts";
import type { LoadedConfig } from "../config/load.ts";
import { formatListenUrl } from "../config/urls.ts";
import type { ConfigWatch } from "../config/watch.ts";
import { watchConfig } from "../config/watch.ts";
import { createFilterCache } from "../core/filter/filter-cache.ts";
import { MessageQuota } from "../core/message-quota.ts";
import { Service } from "../core/service.ts";
import { createFrontDoor } from "../front/front-door.ts";
import { createClientEndpoint } from "../gateway/client-endpoint.ts";
import { billedMessages } from "../observability/billed-messages.ts";
import { createLogger } from "../observability/logger.ts";
import { Metrics } from "../observability/metrics.ts";
import { readProcessUsage } from "../observability/process-usage.ts";
import { createRedactor } from "../observability/redact.ts";
import { createResourceLogs } from "../observability/resource-logs.ts";
import { createTelemetry } from "../observability/telemetry.ts";
import type { Rest } from "../rest/rest.ts";
import { createRest } from "../rest/rest.ts";
import type { Traffic } from "../transport/socket.ts";
import { createUpstream } from "../upstream/upstream.ts";
import type { AdminListener } from "./admin.ts";
import { openAdminListener } from "./admin.ts";
import { createIdSource, createNodeId } from "./ids.ts";
import type { Listeners } from "./listeners.ts";
import { openListeners } from "./listeners.ts";
import type { LiveSettings } from "./live-settings.ts";
import { continuationKey, liveSettings } from "./live-settings.ts";
import { logSettings, resourceLogSettings } from "./logging.ts";
import { systemClock, systemScheduler } from "./time.ts";
import { upstreamSettings } from "./upstream-settings.ts";
import { version } from "./version.ts";

/** Parsed filters kept; a REST caller repeats the same few. Ours. */
const filterCacheSize = 512;
/** How long a stopping service waits for notifications that are under way (event-handlers 6.3). */
const notificationDrainMs = 10_000;
const drainPollMs = 50;

/** Where a host writes: log lines and resource-log lines, without line break. */
export interface HostOutput {
  log(line: string): void;
  resourceLog(line: string): void;
  /** Whether the log goes to a terminal: decides about format and colour. */
  readonly isTerminal: boolean;
}

/** A running service. Several can run in one process; they share nothing. */
export interface Host {
  /** Where it really listens. */
  readonly listening: readonly string[];
  /** URLs by which clients reach it, best first. */
  readonly endpoints: readonly string[];
  readonly connectionStrings: { readonly primary: string; readonly secondary: string | null };
  /** Local authority whose certificate clients have to trust, null when every certificate is the operator's own. */
  readonly authorityFile: string | null;
  readonly adminUrl: string | null;
  readonly config: Config;
  /** Loads the configuration again (SIGHUP). */
  reload(): void;
  /**
   * Stops in order: no new clients, health 503, clients told and closed behind what is queued for them, notifications
   * delivered, listeners closed; what is left after the configured drain time is cut. Calling it again returns the same
   * promise (H-39).
   */
  stop(): Promise<void>;
}

export type StartResult = { readonly ok: true; readonly host: Host } | { readonly ok: false; readonly problem: string };

/** Starts a service from a loaded configuration; resolves when it is ready to serve. */
export async function startHost(loaded: LoadedConfig, output: HostOutput): Promise<StartResult> {
  const first = liveSettings(loaded.config);
  if ("problem" in first) return { ok: false, problem: first.problem };
  let live: LiveSettings = first;
  let isReady = false;
  const { config } = loaded;

  const redactor = createRedactor();
  redactor.protect(secretsOf(config));
  const logger = createLogger({ settings: logSettings(config, output.isTerminal), write: output.log, colour: output.isTerminal, clock: systemClock, scheduler: systemScheduler, redactor });
  const resourceLogs = createResourceLogs({ serviceName: config.service.name, settings: resourceLogSettings(config, output.resourceLog), clock: systemClock, redactor });
  const metrics = new Metrics({
    clock: systemClock,
    scheduler: systemScheduler,
    readProcessUsage,
    maxConnections: () => live.limits.maxConnections,
    suppressedLogLines: () => logger.suppressedLines,
  });
  const telemetry = createTelemetry({ logger, metrics, resourceLogs });
  const quota = new MessageQuota({
    clock: systemClock,
    scheduler: systemScheduler,
    limit: () => live.config.limits.maxMessagesPerDay,
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
  const upstream = createUpstream({
    settings: upstreamSettings(config),
    clock: systemClock,
    scheduler: systemScheduler,
    // Requests to event handlers are outbound traffic too (M-45).
    telemetry: {
      ...telemetry,
      webhook(report) {
        telemetry.webhook(report);
        quota.count(billedMessages(report.bytes));
      },
    },
    version,
    signer: () => live.sign,
  });

  const nodeId = createNodeId();
  const service = new Service({
    nodeId,
    clock: systemClock,
    scheduler: systemScheduler,
    backplane: createInProcessBackplane(),
    upstream,
    telemetry,
    limits: () => live.limits,
    keepAliveSeconds: (hub) => live.keepAliveSeconds(hub),
  });
  const isTakingClients = (): boolean => isReady && live.config.properties.regionEndpointEnabled === "Enabled";
  const endpoint = createClientEndpoint({
    service,
    upstream,
    clock: systemClock,
    ids: createIdSource(nodeId),
    telemetry,
    settings: () => live.gateway,
    acceptsClients: isTakingClients,
    throttledForSeconds: () => quota.secondsToWait(),
  });
  const filters = createFilterCache(filterCacheSize);
  const buildRest = ({ config: current }: LiveSettings): Rest =>
    createRest({
      operations: service,
      clock: systemClock,
      filters,
      access: () => live.restAccess,
      maxBodyBytes: current.limits.maxMessageBytes,
      compat: current.compat,
      continuationKey: continuationKey(current.service.keys),
      corsOrigins: current.cors.allowedOrigins,
      isReady: isTakingClients,
      throttledForSeconds: () => quota.secondsToWait(),
      telemetry,
      report: (report) => telemetry.rest(report),
    });
  let rest = buildRest(live);
  const door = createFrontDoor({ pathBase: config.service.pathBase, endpoint, rest: (request) => rest.handle(request), settings: () => live.frontDoor });
  const onError = (error: unknown): void => {
    telemetry.log("error", "InternalError", { message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  };

  const opened = await openListeners(config, { traffic, handle: door, onError }, telemetry);
  if (!opened.ok) return opened;
  const { listeners } = opened;
  const admin = openAdminListener(config, metrics);
  if (admin !== null && !admin.ok) {
    await listeners.stop();
    return admin;
  }

  const watch = watchConfig(loaded, {
    onChange({ config: changed, changed: names, warnings }) {
      const next = liveSettings(changed);
      if ("problem" in next) {
        telemetry.log("error", "ConfigurationRefused", { message: next.problem });
        return;
      }
      live = next;
      rest = buildRest(next);
      redactor.protect(secretsOf(changed));
      logger.configure(logSettings(changed, output.isTerminal));
      resourceLogs.configure(resourceLogSettings(changed, output.resourceLog));
      upstream.reload(upstreamSettings(changed));
      upstream.warmUp([...changed.hubs.keys()]);
      telemetry.log("info", "ConfigurationReloaded", { message: `Configuration reloaded: ${names.join(", ")}.` });
      for (const { path, message } of warnings) telemetry.log("warning", "ConfigurationWarning", { message: `${path} ${message}` });
    },
    onProblems(problems) {
      for (const { path, message } of problems) telemetry.log("warning", "ConfigurationRefused", { message: `The previous configuration stays in use: ${path} ${message}` });
    },
    onWarnings(warnings) {
      for (const { path, message } of warnings) telemetry.log("warning", "ConfigurationWarning", { message: `${path} ${message}` });
    },
  });

  upstream.warmUp([...config.hubs.keys()]);
  isReady = true;
  let stopping: Promise<void> | null = null;
  const parts: Running = { watch, service, listeners, admin: admin?.listener ?? null, upstream, metrics, logger, drainMs: config.limits.drainSeconds * 1000 };
  return {
    ok: true,
    host: {
      listening: listeners.addresses.map(formatListenUrl),
      endpoints: clientEndpoints(config, listeners.addresses),
      connectionStrings: connectionStrings(config, listeners.addresses),
      authorityFile: listeners.authorityFile,
      adminUrl: admin?.listener.url ?? null,
      config,
      reload: () => watch.reload(),
      stop() {
        isReady = false;
        return (stopping ??= stopAll(parts));
      },
    },
  };
}

interface Running {
  readonly watch: ConfigWatch;
  readonly service: Service;
  readonly listeners: Listeners;
  readonly admin: AdminListener | null;
  readonly upstream: { close(deadlineMs: number): Promise<void> };
  readonly metrics: { stop(): void };
  readonly logger: { flush(): void };
  readonly drainMs: number;
}

async function stopAll({ watch, service, listeners, admin, upstream, metrics, logger, drainMs }: Running): Promise<void> {
  watch.close();
  listeners.stopAccepting();
  const deadline = systemClock.now() + drainMs;
  service.endAll("shutdown");
  while (service.closingCount > 0 && systemClock.now() < deadline) await new Promise((resolve) => setTimeout(resolve, drainPollMs));
  await upstream.close(Math.min(notificationDrainMs, Math.max(0, deadline - systemClock.now())));
  await Promise.all([listeners.stop(), admin?.stop()]);
  service.close();
  metrics.stop();
  logger.flush();
}

function secretsOf({ service }: Config): readonly string[] {
  const { primary, secondary } = service.keys;
  return [primary, ...(secondary === null ? [] : [secondary]), ...(service.adminListen === null ? [] : [service.adminListen.token])];
}
