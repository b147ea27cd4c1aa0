import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmod, cp, link, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findBun, platformPackages } from "../bin/find-bun.mjs";
import { root } from "./gates.ts";

let project = "";

beforeEach(async () => {
  project = await realpath(await mkdtemp(join(tmpdir(), "tidewire-launcher-")));
});

afterEach(async () => {
  await rm(project, { recursive: true, force: true });
});

/** A package of the temporary project; `binary` is a text, or this process's Bun. */
async function place(name: string, binary: { path: string; text: string | null }): Promise<string> {
  const folder = join(project, "node_modules", name);
  const path = join(folder, binary.path);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ name, version: "1.0.0" }));
  if (binary.text !== null) await writeFile(path, binary.text);
  else await link(process.execPath, path).catch(() => cp(process.execPath, path));
  await chmod(path, 0o755);
  return path;
}

const from = (): string => join(project, "bin", "find-bun.mjs");
const [platformPackage = ""] = platformPackages({ platform: process.platform, arch: process.arch, musl: false });
const placeholder = { path: "bin/bun.exe", text: "echo the install script was not run" };

describe("findBun", () => {
  test("takes the binary of npm's package", async () => {
    const bun = await place("bun", { path: "bin/bun.exe", text: null });
    expect(findBun(from(), {})).toEqual({ bun });
  });

  test("takes the platform package where the install script did not run", async () => {
    await place("bun", placeholder);
    const bun = await place(platformPackage, { path: "bin/bun", text: null });
    expect(findBun(from(), {})).toEqual({ bun });
  });

  test("passes over a platform binary that does not run here", async () => {
    await place("bun", placeholder);
    await place(platformPackage, { path: "bin/bun", text: "x".repeat(2_000_000) });
    expect(findBun(from(), {})).toHaveProperty("problem");
  });

  test("says in one line what to do when there is none", async () => {
    await place("bun", placeholder);
    const found = findBun(from(), {});
    expect("problem" in found ? found.problem : "").toMatch(/^no Bun for .+ TIDEWIRE_BUN .+$/);
  });

  test("TIDEWIRE_BUN comes first, and must be a Bun", async () => {
    const env = { TIDEWIRE_BUN: process.execPath };
    expect(findBun(from(), env)).toEqual({ bun: process.execPath });
    expect(findBun(from(), { TIDEWIRE_BUN: join(project, "nothing") })).toHaveProperty("problem");
  });
});

test("platformPackages names the packages of npm's bun, the machine's own C library first", () => {
  const names = (platform: string, arch: string, musl = false): string[] => platformPackages({ platform, arch, musl });
  expect(names("linux", "x64")[0]).toBe("@oven/bun-linux-x64");
  expect(names("linux", "x64", true)[0]).toBe("@oven/bun-linux-x64-musl");
  expect(names("linux", "arm64")[0]).toBe("@oven/bun-linux-aarch64");
  expect(names("darwin", "arm64")).toEqual(["@oven/bun-darwin-aarch64"]);
  expect(names("darwin", "x64")).toEqual(["@oven/bun-darwin-x64", "@oven/bun-darwin-x64-baseline"]);
  expect(names("win32", "x64")[0]).toBe("@oven/bun-windows-x64");
  expect(names("freebsd", "arm64")).toEqual(["@oven/bun-freebsd-aarch64"]);
  expect(names("android", "arm64")).toEqual(["@oven/bun-linux-aarch64-android"]);
});

describe("the launcher", () => {
  /** Starts tooling/bun.mjs in Node on a script; resolves once the script has printed its first line. */
  async function launch(script: string, shell: readonly string[] = []) {
    const file = join(project, "script.ts");
    await writeFile(file, script);
    const launcher = ["node", join(root, "tooling", "bun.mjs"), file, "--an", "argument"];
    const child = Bun.spawn([...shell, ...launcher], {
      env: { ...process.env, npm_lifecycle_event: "start" },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    const reader = child.stdout.getReader();
    const decoder = new TextDecoder();
    let text = "";
    const readUntil = async (mark: string): Promise<string> => {
      while (!text.includes(mark)) {
        const { done, value } = await reader.read();
        if (done) break;
        text += decoder.decode(value, { stream: true });
      }
      return text;
    };
    await readUntil("\n");
    return { child, readUntil };
  }

  test("hands on arguments and the exit code", async () => {
    const { child, readUntil } = await launch("console.log(process.argv.slice(2).join(' ')); process.exit(7);");
    expect(await readUntil("end")).toBe("--an argument\n");
    expect(await child.exited).toBe(7);
  });

  test("hands on SIGTERM once and waits for the child to end", async () => {
    const { child, readUntil } = await launch(`
      let count = 0;
      const alive = setTimeout(() => {}, 120_000);
      process.on("SIGTERM", () => { count += 1; console.log("term", count); });
      process.on("SIGHUP", () => { console.log("end", count); clearTimeout(alive); process.exit(0); });
      console.log("ready");
    `);
    child.kill("SIGTERM");
    await readUntil("term 1");
    child.kill("SIGTERM");
    child.kill("SIGHUP");
    expect(await readUntil("end")).toContain("end 1");
    expect(await child.exited).toBe(0);
  });

  test("ends by the signal that ended the child", async () => {
    const { child } = await launch("console.log('ready'); setTimeout(() => {}, 120_000);");
    child.kill("SIGTERM");
    await child.exited;
    expect(child.signalCode).toBe("SIGTERM");
  });

  test("below npm, the end of npm's shell means SIGTERM", async () => {
    const script = `
      process.on("SIGTERM", () => { console.log("drained"); process.exit(0); });
      setTimeout(() => {}, 120_000);
      console.log("ready");
    `;
    const { child, readUntil } = await launch(script, ["sh", "-c", '"$@"; true', "sh"]);
    child.kill("SIGTERM");
    expect(await readUntil("drained")).toContain("drained");
    await child.exited;
  });

  test("a killed launcher leaves no child behind", async () => {
    const { child, readUntil } = await launch("console.log(`pid ${process.pid}`); setTimeout(() => {}, 120_000);");
    const pid = Number(/pid (\d+)/.exec(await readUntil("pid"))?.[1]);
    expect(() => process.kill(pid, 0)).not.toThrow();
    child.kill("SIGKILL");
    await readUntil("the child holds this pipe open until it ends");
    await child.exited;
  });
});
