import { readMetrics } from "./metrics.ts";
import type { Server } from "./server.ts";

/** Resident memory of a server that was started with `adminSettings`, in MiB. */
export async function residentMebibytes(server: Server): Promise<number> {
  const bytes = (await readMetrics(server)).get("process_resident_memory_bytes");
  if (bytes === undefined) throw new Error("the server does not tell its memory");
  return bytes / 1_048_576;
}
