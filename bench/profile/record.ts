import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGenerators } from "../generator.ts";
import type { Workload } from "../load/job.ts";
import { startService } from "../server.ts";
import type { CpuProfile, Stretch } from "./costs.ts";
import { handlerFor } from "./handler.ts";

const samplingMicroseconds = 500;
const warmUpMs = 2000;

/** Runs the service under the runtime's CPU profiler and a load; `stretch` is the load without start and warm-up. */
export async function recordProfile(
  workload: Workload,
  runMs: number,
): Promise<{ readonly profile: CpuProfile; readonly stretch: Stretch }> {
  await using cleanup = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "tidewire-profile-"));
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true }));
  const runtime = ["--cpu-prof", `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${samplingMicroseconds}`];
  const handlerPort = await handlerFor(workload, cleanup);
  const startedAt = performance.now();
  const server = await startService({ runtime, handlerPort });
  cleanup.defer(() => server.stop());
  const generator = await startGenerators({ endpoint: server.endpoint, workload }, 1);
  await generator.run(warmUpMs);
  const fromMs = performance.now() - startedAt;
  await generator.run(runMs);
  const toMs = performance.now() - startedAt;
  await generator.stop();
  await server.stopInOrder(); // it writes the profile when it ends by itself
  const [file] = readdirSync(folder).filter((name) => name.endsWith(".cpuprofile"));
  if (file === undefined) throw new Error("the runtime wrote no profile");
  const profile = JSON.parse(readFileSync(join(folder, file), "utf8")) as CpuProfile;
  return { profile, stretch: { fromMs, toMs } };
}
