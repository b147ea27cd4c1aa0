import type { Config } from "../config/config.ts";
import { hubSettings } from "../config/config.ts";
import type { UpstreamSettings } from "../upstream/settings.ts";
import type { TunnelLimits } from "../upstream/tunnel/tunnels.ts";

/** The upstream's view of a configuration. */
export function upstreamSettings(config: Config): UpstreamSettings {
  const { upstream, limits, service, compat } = config;
  return {
    hub: (name) => hubSettings(config, name),
    publicHosts: service.publicEndpoints.map((endpoint) => new URL(endpoint).host),
    origins: upstream.origins,
    retryDelaysMs: upstream.retryDelaysSeconds.map((seconds) => seconds * 1000),
    timeoutMs: limits.eventHandler.timeoutSeconds * 1000,
    maxResponseBytes: limits.eventHandler.maxResponseBytes,
    maxSocketsPerHost: upstream.maxSocketsPerHost,
    notificationQueue: upstream.notificationQueue,
    forwardConnectErrorBody: upstream.forwardConnectErrorBody,
    retryOnDemand: upstream.validation.retryOnDemand,
    targets: upstream.targets,
    globEventPatterns: compat.globEventPatterns,
  };
}

/** The limits of tunnels in a configuration. */
export function tunnelLimits({ limits }: Config): TunnelLimits {
  const { connectionsPerHub, connectionsPerServer, requestsPerConnection } = limits.tunnel;
  return {
    socketsPerHub: connectionsPerHub,
    socketsPerServer: connectionsPerServer,
    requestsPerSocket: requestsPerConnection,
  };
}
