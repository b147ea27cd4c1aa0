// @ts-check
// Plain JavaScript for Node >= 20, no dependencies: this runs before anything else is known to work.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Real Bun binaries have tens of megabytes; the placeholder npm leaves when install scripts are blocked has 450 bytes. */
const smallestRealBinary = 1_000_000;

/** A signal that comes again within this time is the same one by a second way (terminal and npm both pass Ctrl-C on). */
const sameSignalMs = 1000;

const parentCheckMs = 200;

/** @typedef {{ bun: string } | { problem: string }} Found */

/**
 * Platform packages of npm's `bun` that may run on this machine, best first. The other C library comes second because
 * some npm versions place both; baseline builds come after the normal ones.
 *
 * @param {{ platform: string, arch: string, musl: boolean }} machine
 * @returns {string[]}
 */
export function platformPackages({ platform, arch, musl }) {
  const cpu = arch === "arm64" ? "aarch64" : arch;
  const baseline = cpu === "x64" ? ["", "-baseline"] : [""];
  const named = (/** @type {string} */ base) => baseline.map((suffix) => `@oven/bun-${base}${suffix}`);
  switch (platform) {
    case "linux": {
      const names = [...named(`linux-${cpu}`), ...named(`linux-${cpu}-musl`)];
      return musl ? names.toSorted((a, b) => Number(b.includes("-musl")) - Number(a.includes("-musl"))) : names;
    }
    case "android":
      return [`@oven/bun-linux-${cpu}-android`];
    case "win32":
      return named(`windows-${cpu}`);
    default:
      return named(`${platform}-${cpu}`);
  }
}

/**
 * Finds the Bun binary: `TIDEWIRE_BUN` if set, else the binary of npm's package `bun`, else the platform package npm
 * placed beside it (that one is there even where install scripts are blocked).
 *
 * @param {string} [from] file from whose place packages are looked up
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Found}
 */
export function findBun(from = import.meta.filename, env = process.env) {
  const override = env["TIDEWIRE_BUN"];
  if (override) {
    return isRealBinary(override)
      ? { bun: override }
      : { problem: `TIDEWIRE_BUN is ${override}, which is not a Bun binary` };
  }
  const require = createRequire(from);
  const manifest = orNull(() => require.resolve("bun/package.json"));
  if (manifest !== null) {
    const binary = join(dirname(manifest), "bin", "bun.exe"); // npm's package uses this name on every platform
    if (isRealBinary(binary)) return { bun: binary };
  }
  const lookups = manifest === null ? [require] : [createRequire(manifest), require];
  const machine = { platform: process.platform, arch: process.arch, musl: isMusl() };
  for (const name of platformPackages(machine)) {
    for (const lookup of lookups) {
      const found = orNull(() => lookup.resolve(`${name}/package.json`));
      if (found === null) continue;
      const binary = join(dirname(found), "bin", process.platform === "win32" ? "bun.exe" : "bun");
      if (isRealBinary(binary) && runs(binary)) return { bun: binary };
    }
  }
  return {
    problem: `no Bun for ${process.platform}-${process.arch} in node_modules; run "npm install" without --omit=optional, or set TIDEWIRE_BUN to a Bun binary`,
  };
}

/**
 * Runs Bun in place of this process: same standard streams, signals passed on once, same exit code or signal.
 * Bun gets a process group of its own, so that a Ctrl-C reaches it once, through here, and not from the terminal as
 * well; `--no-orphans` ends it should this process be killed.
 *
 * @param {string[]} args
 */
export function runBun(args) {
  const found = findBun();
  if ("problem" in found) {
    console.error(`tidewire: ${found.problem}`);
    process.exit(1);
  }
  // All before the child starts: whoever hears from the child may signal this process at once.
  const parent = process.ppid;
  /** @type {NodeJS.Signals[]} */
  const signals = ["SIGTERM", "SIGINT", "SIGHUP"];
  /** @type {Map<string, number>} */
  const seen = new Map();
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    const now = performance.now();
    const last = seen.get(signal);
    if (last !== undefined && now - last < sameSignalMs) return;
    seen.set(signal, now);
    // On Windows the console itself hands Ctrl-C to the child, and kill() would end it without a chance to drain.
    if (process.platform !== "win32") child.kill(signal);
  };
  for (const signal of signals) process.on(signal, forward);
  const child = spawn(found.bun, ["--no-orphans", "--no-install", "--no-env-file", ...args], {
    stdio: "inherit",
    detached: process.platform !== "win32",
    windowsHide: true,
  });
  if (process.env["npm_lifecycle_event"] !== undefined) {
    // npm signals only the shell between it and this process, and that shell dies without passing the signal on.
    setInterval(() => process.ppid === parent || forward("SIGTERM"), parentCheckMs).unref();
  }
  child.on("error", (error) => {
    console.error(`tidewire: cannot run ${found.bun}: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const name of signals) process.removeListener(name, forward);
    process.kill(process.pid, signal);
    setTimeout(() => process.exit(1), 1000); // the signal may be one that this process cannot die of
  });
}

/** @param {() => string} resolve */
function orNull(resolve) {
  try {
    return resolve();
  } catch {
    return null;
  }
}

/** @param {string} path */
function isRealBinary(path) {
  return existsSync(path) && statSync(path).isFile() && statSync(path).size > smallestRealBinary;
}

/** @param {string} binary */
function runs(binary) {
  return spawnSync(binary, ["--version"], { stdio: "ignore" }).status === 0;
}

function isMusl() {
  if (process.platform !== "linux") return false;
  try {
    return readFileSync("/usr/bin/ldd", "utf8").includes("musl");
  } catch {
    return existsSync("/etc/alpine-release");
  }
}
