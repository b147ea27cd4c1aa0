import { expect, test } from "bun:test";
import type { UpgradeRequest } from "../core/ports.ts";
import { parseClientRequest } from "./client-request.ts";
import { connectEvent } from "./connect-event.ts";

const query = "a=1&a=2&B=&access_token=tok&ACCESS_TOKEN=tok&__proto__=x";

function eventOf(headers: Record<string, string>, certificate: UpgradeRequest["caller"]["certificate"] = null) {
  const caller = { address: "127.0.0.1", scheme: "http", host: "h", audienceHosts: ["h"], certificate } as const;
  const request: UpgradeRequest = {
    path: "/client/hubs/h",
    query,
    headers: new Headers(headers),
    caller,
    isUpgrade: true,
    signal: new AbortController().signal,
  };
  const client = parseClientRequest(request);
  if (!client.ok) throw new Error("not parsed");
  return connectEvent(request, client.value, { claims: { sub: ["u"] }, subprotocols: ["p"] });
}

test("E-34 H-55 the query is passed on in lists, without the token", () => {
  const event = eventOf({});
  expect(Object.entries(event.query)).toEqual([
    ["a", ["1", "2"]],
    ["B", [""]],
    ["__proto__", ["x"]],
  ]);
  expect([event.claims, event.subprotocols, event.clientCertificates]).toEqual([{ sub: ["u"] }, ["p"], []]);
});

test("E-34 H-55 headers are passed on in their usual spelling, without credentials of ours", () => {
  const event = eventOf({
    authorization: "Bearer tok",
    "x-asrs-internal-x": "1",
    "user-agent": "ua",
    "x-custom-header": "v",
    referer: "http://page/?access_token=tok&x=1",
    "sec-websocket-key": "k",
  });
  expect({ ...event.headers }).toEqual({
    Referer: ["http://page/?access_token=&x=1"],
    "Sec-WebSocket-Key": ["k"],
    "User-Agent": ["ua"],
    "X-Custom-Header": ["v"],
  });
  expect(JSON.stringify(event)).not.toContain('tok"');
});

test("M-35 a client certificate is passed on", () => {
  const certificate = { thumbprint: "ab", content: "pem" };
  expect(eventOf({}, certificate).clientCertificates).toEqual([certificate]);
});
