import { type Config, clientEndpoints, connectionStrings } from "../config/config.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { formatListenUrl } from "../config/urls.ts";
import { type ConfigWatch, type ConfigWatchOptions, watchConfig } from "../config/watch.ts";
import type { Telemetry } from "../core/ports.ts";
import { type AdminListener, openAdminListener } from "./admin.ts";
import { type Composition, compose } from "./composition.ts";
import { type Listeners, openListeners } from "./listeners.ts";
import { type LiveSettings, liveSettings } from "./live-settings.ts";
import { missingPackage } from "./missing-packages.ts";
import { createObserving, type HostOutput, type Observing, secretsOf } from "./observing.ts";
import { createOwnerApi } from "./owner-api.ts";
import { version } from "./version.ts";

/** How long a stopping service waits for what event handlers and listeners have to get (event-handlers 6.3, 12). */
const notificationDrainMs = 10_000;
const drainPollMs = 50;
/**
 * How long sockets that were closed in order are left alone before the rest is cut: cutting a socket that still has unread
 * input makes the system discard what the client has not read yet, the close frame included (H-39).
 */
const lingerMs = 1000;

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
  /** Opens the console signed in; null without an administration listener. Only for the eyes of the operator. */
  readonly consoleUrl: string | null;
  /** File with the generated token of the administration listener; null when it is configured or there is none. */
  readonly adminTokenFile: string | null;
  readonly config: Config;
  /** Loads the configuration again (SIGHUP). */
  reload(): void;
  /**
   * Stops in order: no new clients, health 503, clients told and closed behind what is queued for them, notifications
   * delivered, listeners closed; what is left after the configured drain time, or after `withinSeconds` if that is less, is
   * cut. Calling it again returns the same promise (H-39).
   */
  stop(withinSeconds?: number): Promise<void>;
}

export type StartResult = { readonly ok: true; readonly host: Host } | { readonly ok: false; readonly problem: string };

/** Starts a service from a loaded configuration; resolves when it is ready to serve. */
export async function startHost(loaded: LoadedConfig, output: HostOutput): Promise<StartResult> {
  const { config } = loaded;
  const missing = missingPackage(config);
  if (missing !== null) return { ok: false, problem: missing };
  const first = liveSettings(config);
  if ("problem" in first) return { ok: false, problem: first.problem };
  let live: LiveSettings = first;
  let isReady = false;
  const observing = createObserving(config, output, {
    maxConnections: () => live.limits.maxConnections,
    reliableState: () => composition.service.reliableState,
    listenerQueues: () => composition.listeners.stats,
  });
  const { telemetry } = observing;
  const composition: Composition = compose({
    telemetry,
    liveTrace: observing.liveTrace,
    live: () => live,
    isReady: () => isReady,
  });

  const { traffic, handle } = composition;
  const onError = (error: unknown): void => {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    telemetry.log("error", "InternalError", { message });
  };
  const opened = await openListeners(config, { traffic, handle, onError }, telemetry);
  const discard = (): void => {
    composition.service.close();
    observing.close();
  };
  if (!opened.ok) {
    discard();
    return opened;
  }
  const { listeners } = opened;
  const watch = watchConfig(
    loaded,
    followConfig(telemetry, (changed) => {
      const lacking = missingPackage(changed);
      if (lacking !== null) return lacking;
      const next = liveSettings(changed);
      if ("problem" in next) return next.problem;
      live = next;
      observing.configure(changed);
      listeners.configure(changed);
      composition.reload();
      return null;
    }),
  );
  const endpoints = (): readonly string[] => clientEndpoints(live.config, listeners.addresses);
  const listening = listeners.addresses.map(formatListenUrl);
  const startedAt = new Date();
  const admin = openAdminListener(config, {
    metrics: observing.metrics,
    telemetry,
    api: createOwnerApi({ rest: composition.ownerRest, live: () => live, endpoints }),
    service: {
      get state() {
        return watch.state;
      },
      change: (edit) => watch.change(edit),
      tryOut: (edit) => watch.tryOut(edit),
      connectionStrings: (current) => connectionStrings(current, listeners.addresses),
      inspector: composition.inspector,
      testEventHandler: (handler, hub) => composition.upstream.test({ handler, hub, requestHost: hostOf(endpoints()) }),
      secretsOf,
      get mintingKey() {
        return live.restAccess.mintingKey;
      },
      log: (message) => telemetry.log("info", "AdministrationChange", { message }),
      status: () => ({
        version,
        startedAt,
        isReady,
        endpoints: endpoints(),
        listening,
        connections: composition.inspector.connectionsByHub(),
        configurationFile: loaded.file,
      }),
    },
  });
  if (admin !== null && !admin.ok && config.service.adminListen?.isDefault !== true) {
    watch.close();
    await listeners.stop();
    discard();
    return admin;
  }
  if (admin !== null && !admin.ok)
    telemetry.log("warning", "ConsoleUnavailable", { message: `No console: ${admin.problem}` });
  const adminListener = admin?.ok === true ? admin.listener : null;
  composition.warmUp();
  isReady = true;
  let stopping: Promise<void> | null = null;
  const parts: Running = { watch, composition, listeners, admin: adminListener, observing };
  return {
    ok: true,
    host: {
      listening,
      endpoints: endpoints(),
      connectionStrings: connectionStrings(config, listeners.addresses),
      authorityFile: listeners.authorityFile,
      adminUrl: adminListener?.url ?? null,
      consoleUrl: adminListener?.signInUrl ?? null,
      adminTokenFile: adminListener === null ? null : (config.service.adminListen?.tokenFile ?? null),
      config,
      reload: () => watch.reload(),
      stop(withinSeconds = Number.POSITIVE_INFINITY) {
        isReady = false;
        stopping ??= stopAll(parts, Math.min(withinSeconds, live.config.limits.drainSeconds));
        return stopping;
      },
    },
  };
}

/** The host by which clients reach the service, where none else is known. */
function hostOf(endpoints: readonly string[]): string {
  return new URL(endpoints[0] ?? "http://localhost").hostname;
}

/** What happens when the configuration changes; `apply` answers why it cannot be used, or null. */
function followConfig(telemetry: Telemetry, apply: (config: Config) => string | null): ConfigWatchOptions {
  const warn = (event: string, prefix: string, problems: readonly Problem[]): void => {
    for (const { path, message } of problems)
      telemetry.log("warning", event, { message: `${prefix}${path} ${message}` });
  };
  return {
    onChange({ config, changed, warnings }) {
      const problem = apply(config);
      if (problem !== null) {
        telemetry.log("error", "ConfigurationRefused", { message: problem });
        return;
      }
      telemetry.log("info", "ConfigurationReloaded", { message: `Configuration reloaded: ${changed.join(", ")}.` });
      warn("ConfigurationWarning", "", warnings);
    },
    onProblems: (problems) => warn("ConfigurationRefused", "The previous configuration stays in use: ", problems),
    onWarnings: (warnings) => warn("ConfigurationWarning", "", warnings),
  };
}

interface Running {
  readonly watch: ConfigWatch;
  readonly composition: Composition;
  readonly listeners: Listeners;
  readonly admin: AdminListener | null;
  readonly observing: Observing;
}

async function stopAll(
  { watch, composition, listeners, admin, observing }: Running,
  drainSeconds: number,
): Promise<void> {
  const { service, tunnels, upstream, listeners: eventListeners } = composition;
  const deadline = Date.now() + drainSeconds * 1000;
  const timeLeft = (): number => Math.max(0, deadline - Date.now());
  watch.close();
  listeners.stopAccepting();
  const hadClients = service.connectionCount > 0;
  service.endAll("shutdown");
  const isBusy = (): boolean => service.closingCount > 0 || listeners.pendingRequests > 0;
  while (isBusy() && timeLeft() > 0) await sleep(drainPollMs);
  if (hadClients) await sleep(Math.min(lingerMs, timeLeft()));
  const drainMs = Math.min(notificationDrainMs, timeLeft());
  await Promise.all([upstream.close(drainMs), eventListeners.close(drainMs)]);
  await tunnels.close(Math.min(lingerMs, timeLeft()));
  // Whoever watches sees the end of everything else.
  observing.liveTrace.close("The service is stopping.");
  await Promise.all([listeners.stop(), admin?.stop()]);
  service.close();
  observing.close();
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
