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
  const url = await adminUrl(server);
  const authorization = token === null ? "" : `Authorization: Bearer ${token}\r\n`;
  return rawRequest(
    url,
    `GET ${path} HTTP/1.1\r\nHost: ${new URL(url).host}\r\n${authorization}Connection: close\r\n\r\n`,
  );
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
