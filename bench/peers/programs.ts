import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { run } from "../../tooling/run.ts";

/** A program's path, or one line that says what is missing. */
export type Program = { readonly path: string } | { readonly problem: string };

/** Programs built for the benchmark stay here, outside of the repository. */
const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "tidewire-bench");

/** Builds a program from the Go module proxy, once; `module` names package and version. */
export async function goProgram(name: string, module: string): Promise<Program> {
  const version = module.slice(module.lastIndexOf("@") + 1);
  const folder = join(cache, `${name}-${version}`);
  const path = join(folder, name);
  if (existsSync(path)) return { path };
  if (Bun.which("go") === null) return { problem: "no Go toolchain on the path" };
  console.log(`building ${module} with Go`);
  mkdirSync(folder, { recursive: true });
  const { exitCode, output } = await run(["go", "install", module], { cwd: folder, env: { GOBIN: folder } });
  if (exitCode === 0 && existsSync(path)) return { path };
  return { problem: `"go install ${module}" failed: ${lastLine(output)}` };
}

/** A program of a Debian package of the same name; installed where that is possible without asking (root, Debian). */
export async function debianProgram(name: string): Promise<Program> {
  const found = find(name);
  if (found !== null) return { path: found };
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) {
    return { problem: `not on the path; on Debian: "apt-get install ${name}"` };
  }
  console.log(`installing Debian's package ${name}`);
  const install = ["apt-get", "install", "-y", "--no-install-recommends", name];
  for (const command of [["apt-get", "update"], install]) {
    const { exitCode, output } = await run(command, { cwd: "/", env: { DEBIAN_FRONTEND: "noninteractive" } });
    if (exitCode !== 0) return { problem: `"${command.join(" ")}" failed: ${lastLine(output)}` };
  }
  const path = find(name);
  return path === null ? { problem: `Debian's package ${name} has no program of this name` } : { path };
}

/** What a program prints, one line of it, when asked for its version. */
export async function versionOf(command: readonly string[], pattern: RegExp): Promise<string> {
  const { output } = await run(command, { cwd: "/" });
  return pattern.exec(output)?.[1] ?? "unknown";
}

function find(name: string): string | null {
  const inSbin = join("/usr/sbin", name); // not on everybody's path
  return Bun.which(name) ?? (existsSync(inSbin) ? inSbin : null);
}

function lastLine(output: string): string {
  return output.split("\n").at(-1)?.trim() ?? "";
}
