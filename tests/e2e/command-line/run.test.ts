import { expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startTidewire, tidewire } from "../../support/command-line.ts";
import { parseConnectionString } from "../../support/connection-string.ts";
import { tempDir } from "../../support/temp.ts";

/** A command of its own process; `process.execPath` is what runs these tests. */
const program = (source: string): readonly string[] => ["--", process.execPath, "-e", source];
const printConnectionString = "console.log(process.env.WebPubSubConnectionString)";
const healthOf = (endpoint: string) => fetch(`${endpoint}/api/health`, { method: "HEAD" });

test("run gives the command a service of its own and ends with its exit code", async () => {
  const ask = `
    const [, endpoint] = /Endpoint=([^;]+)/.exec(process.env.WebPubSubConnectionString);
    console.log(endpoint, (await fetch(endpoint + "/api/health", { method: "HEAD" })).status);
    process.exit(7);`;
  const { exitCode, stdout, stderr } = await tidewire(["run", ...program(ask)]);
  const [, endpoint = "", status] = /^(http:\/\/localhost:\d+) (\d+)\n$/.exec(stdout) ?? [];
  expect({ exitCode, status }).toEqual({ exitCode: 7, status: "200" });
  expect(stderr).toBe(`tidewire: running at ${endpoint}\n`);
  expect(await healthOf(endpoint).catch(() => "nobody there")).toBe("nobody there");
});

test("run --https names an https endpoint and the authority to trust", async () => {
  const source = `${printConnectionString}; console.log(process.env.NODE_EXTRA_CA_CERTS)`;
  const { exitCode, stdout } = await tidewire(["run", "--https", ...program(source)]);
  const [connectionString = "", authority = ""] = stdout.split("\n");
  expect(exitCode).toBe(0);
  expect(parseConnectionString(connectionString).endpoint).toMatch(/^https:\/\/localhost:\d+$/);
  expect(existsSync(authority)).toBe(true);
});

test("run --https with a configuration of http alone says so and runs nothing", async () => {
  const folder = tempDir();
  const config = join(folder, "tidewire.yaml");
  writeFileSync(config, "service: { listen: [{ url: http://127.0.0.1:0 }] }\n");
  const { exitCode, stdout, stderr } = await tidewire([
    "run",
    "--https",
    "--config",
    config,
    ...program("console.log(1)"),
  ]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toBe("tidewire: --https needs an https listener, and the configuration has none\n");
});

test("run uses the service of WebPubSubConnectionString where there is one", async () => {
  const given = "Endpoint=http://localhost:1;AccessKey=ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH;Version=1.0;";
  const env = { WebPubSubConnectionString: given };
  const { exitCode, stdout, stderr } = await tidewire(["run", ...program(printConnectionString)], { env });
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${given}\n` });
  expect(stderr).toBe("tidewire: using http://localhost:1, the service of WebPubSubConnectionString\n");
  const wrong = await tidewire(["run", ...program("")], { env: { WebPubSubConnectionString: "key-of-mine" } });
  expect(wrong.exitCode).toBe(2);
  expect(wrong.stderr).toContain("WebPubSubConnectionString is not a connection string");
  expect(wrong.stderr).not.toContain("key-of-mine");
});

test("run says when there is no such command, or no service, and ends", async () => {
  const missing = await tidewire(["run", "--", "no-such-program"]);
  expect(missing.exitCode).toBe(127);
  expect(missing.stderr).toEndWith('tidewire: there is no command "no-such-program"\n');
  const misconfigured = await tidewire(["run", "--config", "none.yaml", ...program("console.log(1)")]);
  expect({ exitCode: misconfigured.exitCode, stdout: misconfigured.stdout }).toEqual({ exitCode: 2, stdout: "" });
});

test("run passes a signal on to the command and stops the service after it", async () => {
  const source = `
    process.on("SIGTERM", () => { console.log("told to stop"); process.exit(5); });
    ${printConnectionString};
    setInterval(() => {}, 1000);`;
  const command = startTidewire(["run", ...program(source)]);
  const [connectionString = ""] = await command.written(/Endpoint=.*;/);
  const { endpoint } = parseConnectionString(connectionString);
  expect((await healthOf(endpoint)).status).toBe(200);
  command.kill("SIGTERM");
  const { exitCode, stdout } = await command.ended();
  expect(exitCode).toBe(5);
  expect(stdout).toEndWith("told to stop\n");
  expect(await healthOf(endpoint).catch(() => "nobody there")).toBe("nobody there");
});

/** The service of a test that needs none. */
const given = { WebPubSubConnectionString: `Endpoint=http://localhost:1;AccessKey=${"A".repeat(44)};Version=1.0;` };

test("run passes a signal on to what a shell of the command started", async () => {
  const source = `process.on("SIGINT", () => { console.log("told to stop"); process.exit(5); }); console.log("up"); setInterval(() => {}, 1000);`;
  const command = startTidewire(["run", "--", "sh", "-c", '"$0" -e "$1"; exit 6', process.execPath, source]);
  await command.written(/up/);
  command.kill("SIGINT");
  const { stdout } = await command.ended();
  expect(stdout).toEndWith("told to stop\n");
});

test.each([["a service of its own", {}] as const, ["the service it was given", given] as const])(
  "run with %s: a second signal ends a command that ignores the first",
  async (_, env) => {
    const source = `process.on("SIGINT", () => console.log("no")); console.log("up"); setInterval(() => {}, 1000);`;
    const command = startTidewire(["run", ...program(source)], { env });
    await command.written(/up/);
    command.kill("SIGINT");
    await command.written(/no/);
    command.kill("SIGINT");
    // Waits until its output is closed, which the command has open too.
    expect((await command.ended()).exitCode).toBe(1);
  },
);

test.each([["a service of its own", {}] as const, ["the service it was given", given] as const])(
  "run with %s: ends with its command when the terminal is closed",
  async (_, env) => {
    const command = startTidewire(["run", ...program(`console.log("up"); setInterval(() => {}, 1000);`)], { env });
    await command.written(/up/);
    command.kill("SIGHUP");
    expect((await command.ended()).exitCode).toBe(129);
  },
);
