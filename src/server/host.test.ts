import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { configFolder, key } from "../../tests/support/config-folder.ts";
import { startEventHandler } from "../../tests/support/event-handler.ts";
import { Inbox } from "../../tests/support/inbox.ts";
import { rawRequest } from "../../tests/support/raw-http.ts";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import { ensureLocalCertificate } from "../tls/local-ca.ts";
import { type Host, startHost } from "./host.ts";

const folder = configFolder();
const running: Host[] = [];
afterAll(async () => {
  await Promise.all(running.map((host) => host.stop()));
  folder.remove();
});

const token = "admin-token-0123456789";

/** A configuration on loopback; `service` and what else is given come on top of the least one. */
function configured(service: Readonly<Record<string, unknown>> = {}, rest: Readonly<Record<string, unknown>> = {}) {
  const listen = [{ url: "http://127.0.0.1:0" }];
  const file = JSON.stringify({ service: { listen, keys: { primary: key }, ...service }, ...rest });
  const loaded = loadConfig(folder.inputOf({ file, fileName: "config.json" }));
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded;
}

/** Starts a service that is stopped after the tests; its log lines go to `log`. */
async function started(loaded: LoadedConfig, log = new Inbox<string>()): Promise<Host> {
  const result = await startHost(loaded, { log: (line) => log.push(line), resourceLog: () => {}, isTerminal: false });
  if (!result.ok) throw new Error(result.problem);
  running.push(result.host);
  return result.host;
}

async function refused(loaded: LoadedConfig): Promise<string> {
  const result = await startHost(loaded, { log: () => {}, resourceLog: () => {}, isTerminal: false });
  if (result.ok) running.push(result.host);
  return result.ok ? "it started" : result.problem;
}

test("a service that cannot listen asks no event handler for permission", async () => {
  const handler = await startEventHandler();
  const publicEndpoints = ["http://tidewire.test"];
  const hubs = { chat: { eventHandlers: [handler.settings()] } };
  const first = await started(configured());
  const taken = { listen: [{ url: first.listening[0] }], publicEndpoints };
  expect(await refused(configured(taken, { hubs }))).toMatch(/^Port \d+ on 127\.0\.0\.1 is in use/);
  // A fence: what the refused one asked would have come before.
  await started(configured({ publicEndpoints: ["http://fence.test"] }, { hubs }));
  const asked = await handler.validations.take({ what: "validation" });
  expect(asked.header("webhook-request-origin")).toBe("fence.test");
  await handler.stop();
});

test("M-64 the administration listener answers requests without a usable Host and shows no internals", async () => {
  const { adminUrl } = await started(configured({ adminListen: { url: "http://127.0.0.1:0", token } }));
  const ask = async (version: string, host: string) =>
    rawRequest(adminUrl ?? "", `GET /metrics HTTP/${version}\r\n${host}Authorization: Bearer ${token}\r\n\r\n`);
  expect(await ask("1.0", "")).toMatchObject({ status: 200 });
  expect(await ask("1.1", "Host: %\r\n")).toMatchObject({ status: 421 });
});

test("a taken port of the administration listener is named", async () => {
  const first = await started(configured());
  const adminListen = { url: first.listening[0], token };
  const port = new URL(first.listening[0] ?? "").port;
  expect(await refused(configured({ adminListen }))).toBe(
    `service.adminListen: Port ${port} on 127.0.0.1 is in use by another program.`,
  );
});

test("a taken port of the console that nobody asked for costs the console, not the start", async () => {
  const first = await started(configured());
  const loaded = configured({ adminListen: { url: first.listening[0], token } });
  const { service } = loaded.config;
  const adminListen = service.adminListen === null ? null : { ...service.adminListen, isDefault: true };
  const log = new Inbox<string>();
  const host = await started({ ...loaded, config: { ...loaded.config, service: { ...service, adminListen } } }, log);
  expect([host.adminUrl, host.consoleUrl, host.adminTokenFile]).toEqual([null, null, null]);
  const line = await log.take({ what: "warning", where: (each) => each.includes("ConsoleUnavailable") });
  expect(JSON.parse(line)).toMatchObject({
    level: "warning",
    message: expect.stringContaining("is in use by another") as unknown,
  });
});

test("a certificate that the runtime cannot use is reported and the previous one stays", async () => {
  const made = await ensureLocalCertificate({ dataDir: folder.inputOf({}).cwd, names: [], now: new Date() });
  if (!made.ok) throw new Error(made.problem);
  const { certificatePem, keyPem } = made.certificate;
  const cwd = folder.inputOf({}).cwd;
  const tls = { certFile: join(cwd, "tls.crt"), keyFile: join(cwd, "tls.key") };
  writeFileSync(tls.certFile, certificatePem);
  writeFileSync(tls.keyFile, keyPem);
  const log = new Inbox<string>();
  const host = await started(configured({ listen: [{ url: "https://127.0.0.1:0", tls }] }), log);
  writeFileSync(tls.certFile, `${certificatePem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`);
  const line = await log.take({ what: "certificate problem", where: (each) => each.includes("Certificate") });
  expect(JSON.parse(line)).toMatchObject({ event: "CertificateProblem", level: "error" });
  const health = await fetch(`${host.endpoints[0]}/api/health`, { tls: { rejectUnauthorized: false } });
  expect(health.status).toBe(200);
});
