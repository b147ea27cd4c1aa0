import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./gates.ts";
import { run } from "./run.ts";
import type { Need } from "./suites.ts";

/** A program's path, or one line that says what is missing and what to do. */
export type Program = { readonly path: string } | { readonly problem: string };

/** The environment variables by which tests learn where the programs are. */
export const programVariables: Readonly<Record<Need, string>> = {
  node: "TIDEWIRE_TEST_NODE",
  chromium: "TIDEWIRE_TEST_CHROMIUM",
};

const cwd = root;
const oldestNode = 22; // the newest official SDKs ask for it

/** Finds a program; Chromium is installed from Debian's packages where that is possible without asking (root, Debian). */
export function findProgram(need: Need): Promise<Program> {
  switch (need) {
    case "node":
      return findNode();
    case "chromium":
      return findChromium();
  }
}

/** Node for the official SDKs: the pinned one of the npm package `node`, else any new enough one on the path. */
async function findNode(): Promise<Program> {
  const pinned = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
  for (const path of [process.env["TIDEWIRE_TEST_NODE"], pinned, Bun.which("node")]) {
    if (!path || !existsSync(path)) continue;
    const { exitCode, output } = await run([path, "--version"], { cwd });
    if (exitCode === 0 && Number(/^v(\d+)\./.exec(output)?.[1]) >= oldestNode) return { path };
  }
  return {
    problem: `no Node >= ${oldestNode}; run "npm rebuild node" (its install script places one) or set TIDEWIRE_TEST_NODE`,
  };
}

async function findChromium(): Promise<Program> {
  const installed = chromiumHere();
  if (installed !== null) return { path: installed };
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) {
    return { problem: 'no Chromium; install it (Debian: "apt-get install chromium") or set CHROMIUM_PATH' };
  }
  console.log("chromium is missing; installing Debian's package");
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const steps = [
    ["apt-get", "update"],
    ["apt-get", "install", "-y", "--no-install-recommends", "chromium"],
  ];
  for (const step of steps) {
    const { exitCode, output } = await run(step, { cwd, env });
    if (exitCode !== 0) return { problem: `"${step.join(" ")}" failed: ${output.split("\n").at(-1) ?? ""}` };
  }
  const path = chromiumHere();
  return path === null ? { problem: "Debian's package chromium has no /usr/bin/chromium" } : { path };
}

function chromiumHere(): string | null {
  const paths = [process.env["CHROMIUM_PATH"], "/usr/bin/chromium", Bun.which("chromium"), Bun.which("google-chrome")];
  return paths.find((path): path is string => !!path && existsSync(path)) ?? null;
}
