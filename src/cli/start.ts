import { banner } from "./banner.ts";
import { startServiceProcess } from "./service-process.ts";

/** Runs the service until a signal ends it; resolves with the exit code. */
export async function runStart(options: Readonly<Record<string, string>>): Promise<number> {
  const started = await startServiceProcess({ commandLine: options });
  if (!started.ok) return started.exitCode;
  const { host } = started;
  console.log(banner(host, started.configFile));
  await started.signals.stopRequested;
  await host.stop();
  return 0;
}
