import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { loadConfig, readEnvironment } from "../config/load.ts";
import { formatProblem } from "../config/problem.ts";
import { ensureLocalAuthority } from "../tls/local-ca.ts";
import { formatTrustCommand, planTrust } from "../tls/trust.ts";

const failed = 1;
const misconfigured = 2;

/** Prints or installs the local authority's certificate, making it first if it is not there; resolves with the exit code. */
export async function runCert(options: {
  readonly data?: string;
  readonly path?: true;
  readonly install?: true;
}): Promise<number> {
  const commandLine = options.data === undefined ? {} : { data: options.data };
  const loaded = loadConfig({ environment: readEnvironment(), commandLine, cwd: process.cwd() });
  if (!loaded.ok) {
    for (const problem of loaded.problems) console.error(`tidewire: ${formatProblem(problem)}`);
    return misconfigured;
  }
  const made = await ensureLocalAuthority({ dataDir: loaded.config.service.dataDir, now: new Date() });
  if (!made.ok) {
    console.error(`tidewire: ${made.problem}`);
    return failed;
  }
  const { authorityFile, pem } = made;
  if (options.install) return install(authorityFile);
  process.stdout.write(options.path ? `${authorityFile}\n` : pem);
  return 0;
}

/** Runs the commands of the plan, or prints them when this user may not. */
function install(authorityFile: string): number {
  const plan = planTrust(authorityFile, {
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    homeDir: homedir(),
    hasUpdateCaCertificates: existsSync("/usr/sbin/update-ca-certificates"),
    hasUpdateCaTrust: existsSync("/usr/bin/update-ca-trust"),
  });
  if (!plan.canRun) console.log("Run these commands to trust the certificate:");
  for (const command of plan.commands) {
    console.log(formatTrustCommand(command));
    if (!plan.canRun) continue;
    const { status, error } = spawnSync(command.program, command.args, { stdio: "inherit" });
    if (status !== 0) {
      console.error(`tidewire: ${command.program} failed${error === undefined ? "" : ` (${error.message})`}`);
      return failed;
    }
  }
  for (const note of plan.notes) console.log(note);
  return plan.canRun ? 0 : failed;
}
