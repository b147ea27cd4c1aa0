import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGenerator } from "../generator.ts";
import type { Workload } from "../load/job.ts";
import { startService } from "../server.ts";
import type { CpuProfile } from "./costs.ts";

const samplingMicroseconds = 500;

/** Runs the service under the runtime's CPU profiler and a load, the runtime's own warm-up included. */
export async function recordProfile(workload: Workload, runMs: number): Promise<CpuProfile> {
  await using cleanup = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "tidewire-profile-"));
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true }));
  const runtime = ["--cpu-prof", `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${samplingMicroseconds}`];
  const server = await startService({ runtime });
  cleanup.defer(() => server.stop());
  const generator = await startGenerator({ endpoint: server.endpoint, workload });
  await generator.run(runMs);
  await generator.stop();
  await server.stopInOrder(); // it writes the profile when it ends by itself
  const [file] = readdirSync(folder).filter((name) => name.endsWith(".cpuprofile"));
  if (file === undefined) throw new Error("the runtime wrote no profile");
  return JSON.parse(readFileSync(join(folder, file), "utf8")) as CpuProfile;
}
