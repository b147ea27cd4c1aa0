import { formatPath } from "../config/problem.ts";
import { type Answer, ok } from "./answers.ts";
import type { AdminService } from "./settings.ts";

/** `GET /admin/status`: how the service is doing and where its settings come from. Holds no secret. */
export function getStatus(service: AdminService): Answer {
  const { config, overlay, overlayFile, warnings } = service.state;
  const { version, startedAt, isReady, endpoints, listening, connections, configurationFile } = service.status();
  const counts = [...connections].toSorted(([left], [right]) => (left < right ? -1 : 1));
  return ok({
    name: config.service.name,
    version,
    startedAt: startedAt.toISOString(),
    uptimeSeconds: Math.floor((Date.now() - startedAt.getTime()) / 1000),
    isReady,
    endpoints,
    listening,
    connections: {
      total: counts.reduce((sum, [, count]) => sum + count, 0),
      hubs: Object.fromEntries(counts),
    },
    configuration: {
      file: configurationFile,
      dataDir: config.service.dataDir,
      overlay: { file: overlayFile, settings: overlay.map(({ path }) => formatPath(path)).toSorted() },
    },
    warnings,
  });
}
