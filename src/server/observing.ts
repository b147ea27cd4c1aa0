import type { Config, EventListenerConfig, HandlerAuth } from "../config/config.ts";
import { LiveTrace } from "../live-trace/live-trace.ts";
import { createLogger } from "../observability/logger.ts";
import { Metrics, type MetricsOptions } from "../observability/metrics.ts";
import { readProcessUsage } from "../observability/process-usage.ts";
import { createRedactor } from "../observability/redact.ts";
import { bothSinks, createResourceLogs } from "../observability/resource-logs.ts";
import { createTelemetry, type ServiceTelemetry } from "../observability/telemetry.ts";
import { liveTraceSettings, logSettings, resourceLogSettings } from "./logging.ts";
import { steadyNow, systemClock, systemScheduler } from "./time.ts";

/** Where a service writes: log lines and resource-log lines, without line break. */
export interface HostOutput {
  readonly log: (line: string) => void;
  readonly resourceLog: (line: string) => void;
  /** Whether the log goes to a terminal: decides about format and colour. */
  readonly isTerminal: boolean;
}

/** Logs and metrics of one service. */
export interface Observing {
  readonly telemetry: ServiceTelemetry;
  readonly metrics: Metrics;
  readonly liveTrace: LiveTrace;
  /** Takes over levels, categories and the secrets that no line may hold. */
  configure(config: Config): void;
  /** Ends the timers and writes what is still to be said. */
  close(): void;
}

/** What the metrics read of the running service. */
export type Observed = Pick<MetricsOptions, "maxConnections" | "reliableState" | "listenerQueues">;

/** Builds logs and metrics from a configuration. */
export function createObserving(config: Config, output: HostOutput, observed: Observed): Observing {
  const ports = { clock: systemClock, scheduler: systemScheduler };
  const redactor = createRedactor();
  let secrets = secretsOf(config);
  redactor.protect(secrets);
  const logger = createLogger({
    ...ports,
    settings: logSettings(config, output.isTerminal),
    write: output.log,
    colour: output.isTerminal,
    redactor,
  });
  const resourceLogs = createResourceLogs({
    serviceName: config.service.name,
    settings: resourceLogSettings(config, output.resourceLog),
    clock: systemClock,
    redactor,
  });
  const suppressedLogLines = (): number => logger.suppressedLines;
  const droppedTraceLines = (): number => liveTrace.droppedLines;
  const metrics = new Metrics({ ...ports, ...observed, readProcessUsage, suppressedLogLines, droppedTraceLines });
  const liveTrace: LiveTrace = new LiveTrace({
    ...ports,
    settings: liveTraceSettings(config),
    redactor,
    changed: () => telemetry.refresh(),
  });
  const records = bothSinks(resourceLogs, liveTrace);
  const telemetry = createTelemetry({ logger, metrics, records, paths: liveTrace, now: steadyNow });
  return {
    telemetry,
    metrics,
    liveTrace,
    configure(changed) {
      // What was secret a moment ago still is: requests under way carry it.
      const previous = secrets;
      secrets = secretsOf(changed);
      redactor.protect([...secrets, ...previous]);
      logger.configure(logSettings(changed, output.isTerminal));
      resourceLogs.configure(resourceLogSettings(changed, output.resourceLog));
      liveTrace.configure(liveTraceSettings(changed));
    },
    close() {
      metrics.stop();
      logger.flush();
    },
  };
}

/** Every secret of a configuration that could find its way into a text. */
export function secretsOf({ service, hubs, defaultHub, templateSecrets }: Config): readonly string[] {
  const { keys, adminListen } = service;
  const handlers = [...hubs.values(), defaultHub].flatMap((hub) => hub.eventHandlers);
  const listeners = [...hubs.values(), defaultHub].flatMap((hub) => hub.eventListeners);
  const own = [keys.primary, keys.secondary, adminListen?.token].filter((secret) => typeof secret === "string");
  return [
    ...own,
    ...templateSecrets,
    ...handlers.flatMap(({ auth }) => authSecrets(auth)),
    ...listeners.flatMap(({ endpoint }) => listenerSecrets(endpoint)),
  ];
}

function listenerSecrets(endpoint: EventListenerConfig["endpoint"]): readonly string[] {
  switch (endpoint.type) {
    case "EventHub": {
      const { access } = endpoint;
      if (access.kind === "token") return access.auth === null ? [] : authSecrets(access.auth);
      const { connectionString } = access;
      return [connectionString, /SharedAccessKey=([^;]+)/i.exec(connectionString)?.[1] ?? ""];
    }
    case "Kafka": {
      const password = endpoint.sasl?.password ?? "";
      // That of Event Hubs' Kafka endpoint is a connection string.
      return [password, /SharedAccessKey=([^;]+)/i.exec(password)?.[1] ?? ""];
    }
    case "Nats": {
      const { credentials } = endpoint;
      if (credentials.kind === "password") return [credentials.password];
      if (credentials.kind === "token") return [credentials.token];
      return credentials.kind === "file" ? credentials.content.split("\n").filter((line) => line.length > 20) : [];
    }
    case "HttpBatch":
      return authSecrets(endpoint.auth);
  }
}

function authSecrets(auth: HandlerAuth): readonly string[] {
  switch (auth.type) {
    case "None":
      return [];
    case "Bearer":
      return [auth.token];
    case "ClientCredentials":
      return auth.credential.kind === "secret" ? [auth.credential.secret] : [];
  }
}
