import { rawRequest } from "./raw-http.ts";
import type { Server } from "./server.ts";
import { until } from "./until.ts";

const adminToken = "administration-token-of-a-test";

/** Settings of `service` that open the administration listener on a free loopback port. */
export const adminSettings = { adminListen: { url: "http://127.0.0.1:0", token: adminToken } };

/** Where the administration listener of this server is. */
async function adminUrl(server: Server): Promise<string> {
  const [, url = ""] = await server.process.written(/^ +Admin +(http\S+)$/m);
  return url;
}

/** One request to the administration listener; token null: without `Authorization`. */
export async function adminRequest(server: Server, path: string, token: string | null = adminToken) {
  return adminCall(server, { path, token });
}

/** What `adminCall` sends; GET without a body unless told otherwise. */
export interface AdminCall {
  readonly method?: string;
  readonly path: string;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly token?: string | null;
  /** Default: what the listener is reached by. */
  readonly host?: string;
  /** Complete header lines. */
  readonly headers?: readonly string[];
}

/** One request to the administration listener, its path untouched. */
export async function adminCall(server: Server, call: AdminCall) {
  const url = await adminUrl(server);
  const { method = "GET", path, json, token = adminToken, host = new URL(url).host, headers = [] } = call;
  const body = json === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(json));
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${host}`,
    ...(token === null ? [] : [`Authorization: Bearer ${token}`]),
    ...(json === undefined ? [] : ["Content-Type: application/json"]),
    ...(method === "GET" ? [] : [`Content-Length: ${body.length}`]),
    ...headers,
    "Connection: close",
  ];
  return rawRequest(url, Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body]));
}

/** The same, its answer parsed; null for none. */
export async function adminJson(server: Server, call: AdminCall) {
  const { status, text } = await adminCall(server, call);
  return { status, body: text === "" ? null : (JSON.parse(text) as unknown) };
}

/** Values by `name{labels}` as the exposition writes them. */
type Samples = ReadonlyMap<string, number>;

/** Scrapes `/metrics`. */
export async function readMetrics(server: Server): Promise<Samples> {
  const response = await adminRequest(server, "/metrics");
  if (response.status !== 200) throw new Error(`/metrics was answered ${response.status}`);
  const lines = response.text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );
}

/** Reads the metrics until the sample has this value; for what is counted just after the client has seen it. */
export async function untilMetric(server: Server, sample: string, value: number): Promise<void> {
  await until(`${sample} is ${value}`, async () => ((await readMetrics(server)).get(sample) ?? 0) === value);
}
