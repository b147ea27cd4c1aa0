import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { clientPath, connectJson, type JsonClient } from "../support/clients.ts";
import { dial } from "../support/dial.ts";
import { startEventHandler } from "../support/event-handler.ts";
import type { HttpResponse } from "../support/http-response.ts";
import { inTime } from "../support/inbox.ts";
import { freshName } from "../support/names.ts";
import { readResponse } from "../support/raw-http.ts";
import { allRoles } from "../support/roles.ts";
import { anyServer, isForeign, startServer, type Target } from "../support/server.ts";
import { clientToken } from "../support/tokens.ts";

let server: Target;
let host: string;
let path: string;
let bystander: JsonClient;
beforeAll(async () => {
  server = await anyServer();
  host = new URL(server.endpoint).host;
  bystander = await connectJson(server, { hub: freshName("bystander"), roles: allRoles });
  path = clientPath(server, { hub: freshName("hub") });
});
afterAll(async () => await server.stop());

// Whatever a request did, clients that are connected and those that come are served.
afterEach(async () => {
  await bystander.nothingArrived();
  expect((await send(head("GET /api/health HTTP/1.1"))).status).toBe(200);
});

const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
const version = "Sec-WebSocket-Version: 13";
const upgrade = ["Upgrade: websocket", "Connection: Upgrade", key, version];
const without = (name: string): string[] => upgrade.filter((line) => !line.startsWith(`${name}:`));

/** Request line and headers, with the right `Host` first. */
const head = (requestLine: string, lines: readonly string[] = []): string =>
  [requestLine, `Host: ${host}`, ...lines, "", ""].join("\r\n");

/** Writes the request and reads its answer; rejects when the connection ends without one. */
async function send(request: string): Promise<HttpResponse> {
  const socket = await dial(server.endpoint);
  try {
    socket.write(request, "latin1");
    return (await readResponse(socket)).response;
  } finally {
    socket.destroy();
  }
}

const statusOf = async (request: string): Promise<number> => (await send(request)).status;

describe("size", () => {
  test.each([
    ["2,000 headers", (): string[] => Array.from({ length: 2000 }, (_, at) => `X-${at}: x`)],
    ["a header of 64 KiB", (): string[] => [`X-Large: ${"x".repeat(65_536)}`]],
    ["a header name of 64 KiB", (): string[] => [`${"x".repeat(65_536)}: x`]],
    ["64 KiB of cookies", (): string[] => Array.from({ length: 64 }, (_, at) => `Cookie: c${at}=${"x".repeat(1024)}`)],
  ])("H-20 an upgrade with %s is refused with a 4xx", async (_what, lines) => {
    const status = await statusOf(head(`GET ${path} HTTP/1.1`, [...upgrade, ...lines()]));
    expect([400, 413, 431]).toContain(status);
  });

  test("H-20 a URL of 1 MB is refused with a 4xx", async () => {
    for (const target of [`${path}&x=${"x".repeat(1_048_576)}`, `/client/hubs/${"h".repeat(1_048_576)}`])
      expect([400, 414, 431]).toContain(await statusOf(head(`GET ${target} HTTP/1.1`, upgrade)));
  });

  test.each([
    ["blanks", " ".repeat(32_000)],
    ["commas", ",".repeat(32_000)],
    ["blanks and commas", " ,".repeat(16_000)],
    ["names and tabs", `a${"\t".repeat(15_000)},${"\t".repeat(15_000)}b`],
    ["8,000 names", Array.from({ length: 8000 }, (_, at) => `${at}`.padStart(3)).join(",")],
  ])("H-21 Sec-WebSocket-Protocol with 32,000 characters, %s, is answered", async (_what, offers) => {
    const status = await statusOf(head(`GET ${path} HTTP/1.1`, [...upgrade, `Sec-WebSocket-Protocol: ${offers}`]));
    expect([101, 400, 431]).toContain(status);
  });

  test("H-21 a known sub-protocol behind 10,000 commas is no worse", async () => {
    const offers = `${",".repeat(10_000)}json.webpubsub.azure.v1`;
    const status = await statusOf(head(`GET ${path} HTTP/1.1`, [...upgrade, `Sec-WebSocket-Protocol: ${offers}`]));
    expect([101, 400]).toContain(status);
  });
});

test.skipIf(isForeign)("H-21 a list of 100,000 event names is searched for each event", async () => {
  const handler = await startEventHandler();
  const names = Array.from({ length: 100_000 }, (_, at) => `event${at}`).join(",");
  const own = await startServer({
    hubs: { many: { eventHandlers: [handler.settings({ userEventPattern: names, systemEvents: [] })] } },
  });
  const client = await connectJson(own, { hub: "many", roles: allRoles });
  // The last name of the list, and the unlisted ones among them: all are settled one after the other.
  for (const event of ["event99999", "event0"])
    expect(await client.ask({ type: "event", event, dataType: "text", data: "x" })).toEqual({ success: true });
  for (let round = 0; round < 200; round++)
    expect(await client.ask({ type: "event", event: `other${round}`, dataType: "text", data: "x" })).toMatchObject({
      success: false,
    });
  await own.stop();
  await handler.stop();
});

describe("upgrades", () => {
  const malformed: readonly (readonly [what: string, requestLine: string, lines: readonly string[]])[] = [
    ["no key", "", without("Sec-WebSocket-Key")],
    ["an empty key", "", [...without("Sec-WebSocket-Key"), "Sec-WebSocket-Key:"]],
    ["a short key", "", [...without("Sec-WebSocket-Key"), "Sec-WebSocket-Key: abc"]],
    ["a key that is no base64", "", [...without("Sec-WebSocket-Key"), `Sec-WebSocket-Key: ${"!".repeat(24)}`]],
    ["two keys", "", [...upgrade, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]],
    ["no version", "", without("Sec-WebSocket-Version")],
    ["version 8", "", [...without("Sec-WebSocket-Version"), "Sec-WebSocket-Version: 8"]],
    ["two versions", "", [...upgrade, "Sec-WebSocket-Version: 8"]],
    ["a version that is no number", "", [...without("Sec-WebSocket-Version"), "Sec-WebSocket-Version: x"]],
    ["no Upgrade", "", without("Upgrade")],
    ["two Upgrades", "", [...upgrade, "Upgrade: websocket"]],
    ["an upgrade to HTTP/2", "", ["Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABk"]],
    ["method POST", "POST", [...upgrade, "Content-Length: 0"]],
    ["method DELETE", "DELETE", upgrade],
    ["method CONNECT", "CONNECT", upgrade],
    ["a blank before a colon", "", [...upgrade, "X-Header : x"]],
    ["a header without colon", "", [...upgrade, "nonsense"]],
    ["a folded header", "", [...upgrade, "X-Header: x", " more"]],
    ["NUL in a header", "", [...upgrade, "X-Header: a\0b"]],
  ];

  test.each(malformed)("H-22 %s is refused with a 4xx", async (_what, method, lines) => {
    const status = await statusOf(head(`${method || "GET"} ${path} HTTP/1.1`, lines));
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });

  test.each(["FLY", "get", "GET\0"])("H-22 the unknown method %j is refused or dropped", async (method) => {
    const status = await statusOf(head(`${method} ${path} HTTP/1.1`, upgrade)).catch(() => "dropped");
    expect([400, 405, 501, 505, "dropped"]).toContain(status);
  });

  test("H-22 a wrong version is answered with the right one", async () => {
    const response = await send(
      head(`GET ${path} HTTP/1.1`, [...without("Sec-WebSocket-Version"), "Sec-WebSocket-Version: 12"]),
    );
    expect(response.status).toBe(426);
    expect(response.header("Sec-WebSocket-Version")).toBe("13");
  });

  test("H-22 requests that are no HTTP/1.1 are refused", async () => {
    const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const tlsHello = `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${"\0".repeat(200)}\r\n\r\n`;
    for (const request of [
      head(`GET ${path} HTTP/2.0`, upgrade),
      head(`GET ${path} HTTP/9.9`, upgrade),
      `GET ${path}\r\n\r\n`,
      `GET ${path} HTTP/1.1\n\n`,
      preface,
      tlsHello,
      "nonsense\r\n\r\n",
      " \r\n\r\n",
    ]) {
      const status = await statusOf(request);
      expect([400, 404, 505]).toContain(status);
    }
  });

  test("H-22 without Host, with two, or with one that is none, nobody is let in", async () => {
    const lines = (...hosts: string[]): string => [`GET ${path} HTTP/1.1`, ...hosts, ...upgrade, "", ""].join("\r\n");
    for (const request of [
      lines(),
      lines("Host:"),
      lines(`Host: ${host}`, "Host: other.example"),
      lines("Host: other.example", `Host: ${host}`),
      lines(`Host: ${host}/path`),
      lines(`Host: user@${host}`),
      lines(`Host: ${host} ${host}`),
    ])
      expect([400, 401]).toContain(await statusOf(request));
  });

  test("H-22 bodies whose length is unclear are refused, and nothing behind them is taken for a request", async () => {
    const target = "POST /api/hubs/h/:send?api-version=2024-12-01 HTTP/1.1";
    const smuggled = head("GET /api/health HTTP/1.1");
    for (const lines of [
      ["Content-Length: 5", "Transfer-Encoding: chunked"],
      ["Content-Length: 5", "Content-Length: 6"],
      ["Content-Length: -5"],
      ["Content-Length: 0x5"],
      ["Content-Length: 99999999999999999999999"],
      ["Transfer-Encoding: gzip"],
      ["Transfer-Encoding: chunked, identity"],
    ]) {
      const socket = await dial(server.endpoint);
      const answers: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => answers.push(chunk));
      const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
      socket.write(`${head(target, lines)}0\r\n\r\n${smuggled}`);
      await inTime(ended, "end of the connection");
      const text = Buffer.concat(answers).toString("latin1");
      expect(text).toMatch(/^HTTP\/1\.1 (400|413|501) /);
      expect(text).not.toContain("HTTP/1.1 200");
    }
  });
});

describe("request targets", () => {
  /** Says to whom the request went: `here` if it was our handshake, else how it was refused. */
  const reached = async (target: string): Promise<string> => {
    const status = await statusOf(head(`GET ${target} HTTP/1.1`, upgrade));
    return status === 101 ? "here" : `${status}`;
  };

  test("H-52 an absolute target is refused or served locally, never passed on", async () => {
    // A server that would follow the target asks this one.
    const elsewhere = await startEventHandler();
    for (const authority of [elsewhere.url, "http://169.254.169.254", "https://example.com", `ws://${host}`])
      expect(["here", "400", "401", "404"]).toContain(await reached(`${authority}${path}`));
    const { status } = await send(head(`GET ${elsewhere.url}/api/health HTTP/1.1`));
    expect([200, 400]).toContain(status);
    expect(elsewhere.validations.untaken).toEqual([]);
    await elsewhere.stop();
  });

  test.each([
    ["//host", (): string => `//example.com${path}`],
    ["an encoded slash in the path", (): string => path.replace("/hubs/", "/hubs%2F")],
    ["an encoded slash at the start", (): string => `/%2Fexample.com${path}`],
    ["a backslash", (): string => path.replaceAll("/", "\\")],
    ["@host", (): string => `@example.com${path}`],
    ["*", (): string => "*"],
    ["an encoded NUL in the hub", (): string => path.replace("?", "%00?")],
    ["a half escape in the hub", (): string => path.replace("?", "%?")],
    ["a hub that climbs", (): string => path.replace(/hubs\/[^?]*/, "hubs/%2e%2e%2f%2e%2e%2fapi")],
  ])("H-52 %s reaches nobody", async (_what, target) => {
    expect(["400", "401", "404"]).toContain(await reached(target()));
  });

  test("H-52 dot segments are resolved or refused, and lead nowhere that needs no token", async () => {
    for (const target of [`/x/..${path}`, `/x/%2e%2e${path}`, `/./${path.slice(1)}`, `/../../..${path}`])
      expect(["here", "400", "404"]).toContain(await reached(target));
    const hub = freshName("hub");
    for (const target of ["/client/..", "/api/health/..", "/client/%2E%2E", "/api/health/%2e%2e/%2e%2e"])
      expect([400, 401, 404]).toContain(
        await statusOf(head(`GET ${target}/api/hubs/${hub}/groups/g/connections?api-version=2024-12-01 HTTP/1.1`)),
      );
  });

  test("H-52 a path that is spelled differently does not change whom a token is for", async () => {
    const [hub, other] = [freshName("hub"), freshName("other")];
    const token = clientToken(server, { hub });
    for (const target of [
      `/client/hubs/${hub}/../${other}`,
      `/client/hubs/${hub}/%2e%2e/${other}`,
      `/client/hubs/${other}?hub=${hub}&x=1`,
      `/client/?hub=${other}&hub=${hub}&x=1`,
    ])
      expect(["400", "401", "404"]).toContain(
        await reached(`${target}${target.includes("?") ? "&" : "?"}access_token=${token}`),
      );
  });
});
