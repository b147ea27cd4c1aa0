import { afterAll, beforeAll, expect, test } from "bun:test";
import { connectJson } from "../support/clients.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { rejection } from "../support/rejection.ts";
import { expectBadRequest } from "../support/rest-answers.ts";
import { anyServer, isForeign, startServer, type Target } from "../support/server.ts";
import { nowSeconds } from "../support/tokens.ts";

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

/** Asks for a token; returns it with its header and claims. */
async function generate(target: Target, hub: string, query: string) {
  const answer = await hubApi(target, hub)("POST", `/:generateToken?${query}`);
  expect({ status: answer.status, type: answer.header("content-type") }).toEqual({
    status: 200,
    type: "application/json; charset=utf-8",
  });
  const body = answer.json as { token: string };
  expect(Object.keys(body)).toEqual(["token"]);
  const [header, claims] = body.token
    .split(".")
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>);
  return { token: body.token, header: header ?? {}, claims: claims ?? {} };
}

test("R-95 a generated token says what was asked for, and opens a connection with it", async () => {
  const hub = freshName("Chat");
  const before = nowSeconds();
  const query = "userId=u%201&role=webpubsub.sendToGroup.g&role=other&group=g%2F1&group=h&minutesToExpire=7";
  const { token, header, claims } = await generate(server, hub, query);
  expect(header).toEqual({ alg: "HS256", typ: "JWT" });
  expect(claims).toMatchObject({ role: ["webpubsub.sendToGroup.g", "other"], "webpubsub.group": ["g/1", "h"] });
  expect(claims["sub"]).toBe("u 1");
  expect(String(claims["aud"]).toLowerCase()).toBe(`${server.endpoint}/client/hubs/${hub}`.toLowerCase());
  const lifetime = Number(claims["exp"]) - before;
  expect(lifetime).toBeGreaterThanOrEqual(7 * 60);
  expect(lifetime).toBeLessThanOrEqual(7 * 60 + 50);
  const client = await connectJson(server, { hub, token });
  expect(client.connected).toMatchObject({ userId: "u 1" });
  const api = hubApi(server, hub);
  for (const group of ["g%2F1", "h"]) expect((await api("HEAD", `/groups/${group}`)).status).toBe(200);
  const send = (group: string) => client.ask({ type: "sendToGroup", group, dataType: "text", data: "x", noEcho: true });
  expect(await send("g")).toEqual({ success: true });
  expect(await send("h")).toMatchObject({ success: false });
});

test("R-95 without parameters a token is for nobody and an hour", async () => {
  const hub = freshName("hub");
  const { token, claims } = await generate(server, hub, "userId=");
  expect(claims["sub"]).toBeUndefined();
  expect(Number(claims["exp"]) - nowSeconds()).toBeWithin(3600 - 60, 3600 + 6);
  const client = await connectJson(server, { hub, token });
  expect(client.connected["userId"] ?? null).toBeNull();
  expect(await rejection(connectJson(server, { hub: freshName("hub"), token }))).toContain("answered 401");
});

test.skipIf(isForeign)("R-95 the audience is the public endpoint where there is one", async () => {
  const own = await startServer();
  try {
    await own.reconfigure({ service: { publicEndpoints: ["https://ps.example.com"] } });
    const { claims } = await generate(own, "chat", "userId=u");
    expect(claims["aud"]).toBe("https://ps.example.com/client/hubs/chat");
  } finally {
    await own.stop();
  }
});

test.each([
  ["mqtt", "/clients/mqtt/hubs/"],
  ["MQTT", "/clients/mqtt/hubs/"],
  ["socketio", "/clients/socketio/hubs/"],
  ["SocketIO", "/clients/socketio/hubs/"],
  ["Default", "/client/hubs/"],
  ["default", "/client/hubs/"],
])("R-96 clientType %s is for %s", async (clientType, path) => {
  const hub = freshName("hub");
  const { claims } = await generate(server, hub, `clientType=${clientType}`);
  expect(claims["aud"]).toBe(`${server.endpoint}${path}${hub}`);
});

test("R-96 unknown client types, lifetimes and group names answer 400", async () => {
  const api = hubApi(server, freshName("hub"));
  const ask = (query: string) => api("POST", `/:generateToken?${query}`);
  for (const type of ["x", "web", "mqtt,default"]) {
    expectBadRequest(await ask(`clientType=${type}`), "Invalid clientType.", "clientType");
  }
  for (const minutes of ["0", "-1", "x", "1.5", "2147483648", "5&minutesToExpire=6"]) {
    const answer = await ask(`minutesToExpire=${minutes}`);
    expect({ minutes, status: answer.status }).toEqual({ minutes, status: 400 });
  }
  for (const group of ["%20", "", "g".repeat(1025)]) {
    expectBadRequest(await ask(`group=ok&group=${group}`), "Invalid group name.", "group");
  }
});
