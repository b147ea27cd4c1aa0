import type { Workload } from "../load/job.ts";
import { startHandler } from "../server.ts";

/** Starts the event handler that a load needs and returns its port, null where it needs none; `cleanup` ends it. */
export async function handlerFor(workload: Workload, cleanup: AsyncDisposableStack): Promise<number | null> {
  if (workload.kind !== "events") return null;
  const handler = await startHandler();
  cleanup.defer(() => handler.stop());
  return handler.endpoint.port;
}
