import { expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tidewire } from "../../support/command-line.ts";
import { tempDir } from "../../support/temp.ts";

/** Checks a file of this content; the folder shows what was written beside it. */
async function check(content: string, ...args: readonly string[]) {
  const folder = tempDir();
  writeFileSync(join(folder, "tidewire.yaml"), content);
  const env = { XDG_STATE_HOME: folder };
  const result = await tidewire(["config", "check", "tidewire.yaml", ...args], { cwd: folder, env });
  return { ...result, files: readdirSync(folder) };
}

test("config check says that a configuration is valid, shows warnings, and writes nothing", async () => {
  const content = "service: { name: x, adminListen: {} }\nauth: { allowUnvalidatedEntraTokens: true }\n";
  const { exitCode, stdout, stderr, files } = await check(content);
  expect({ exitCode, stderr, files }).toEqual({ exitCode: 0, stderr: "", files: ["tidewire.yaml"] });
  expect(stdout).toMatch(/^warning {2}auth\.allowUnvalidatedEntraTokens: lets .+\n\S+tidewire\.yaml is valid\n$/);
});

test("config check prints every problem and exits with 2, in JSON too", async () => {
  const content = "service: { nmae: x }\nhubs:\n  chat: { anonymousConnectPolicy: maybe, color: red }\n";
  const { exitCode, stdout } = await check(content);
  expect(exitCode).toBe(2);
  const paths = stdout
    .trimEnd()
    .split("\n")
    .map((line) => /^problem {2}(\S+):/.exec(line)?.[1] ?? "");
  expect(paths.toSorted()).toEqual(["hubs.chat.anonymousConnectPolicy", "hubs.chat.color", "service.nmae"]);
  const asJson = await check(content, "-o", "json");
  expect(asJson.exitCode).toBe(2);
  const report = JSON.parse(asJson.stdout) as { isValid: boolean; problems: { path: string; message: string }[] };
  expect(report.isValid).toBe(false);
  expect(report.problems.map(({ path }) => path).toSorted()).toEqual(paths.toSorted());
});

test("config check without a file checks the environment alone; a missing file is a problem", async () => {
  const wrong = await tidewire(["config", "check"], { env: { WEBPUBSUB_PRIMARY_KEY: "short-secret" } });
  expect(wrong.exitCode).toBe(2);
  expect(wrong.stdout).toContain("service.keys.primary");
  expect(wrong.stdout).not.toContain("short-secret");
  const right = await tidewire(["config", "check"]);
  expect(right).toEqual({ exitCode: 0, stdout: "the configuration is valid\n", stderr: "" });
  const missing = await tidewire(["config", "check", "nowhere.yaml"]);
  expect(missing).toMatchObject({
    exitCode: 2,
    stdout: expect.stringContaining("nowhere.yaml: does not exist") as unknown,
  });
});
