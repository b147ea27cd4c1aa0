import { expect, test } from "bun:test";
import { decodeProtectedHeader, jwtVerify } from "jose";
import { createHarness, type HarnessOptions, nowSeconds, primaryKey } from "../../tests/support/rest-harness.ts";

async function generate(query = "", options: HarnessOptions = {}, hub = "Chat") {
  const response = await createHarness(options).send(`POST /api/hubs/${hub}/:generateToken${query}`);
  return { response, body: (await response.json()) as { token: string; message: string; target: string } };
}

async function claimsOf(query = "", options: HarnessOptions = {}) {
  const { response, body } = await generate(query, options);
  expect(response.status).toBe(200);
  expect(Object.keys(body)).toEqual(["token"]);
  expect(decodeProtectedHeader(body.token)).toEqual({ alg: "HS256", typ: "JWT" });
  const key = new TextEncoder().encode(primaryKey);
  return (await jwtVerify(body.token, key, { currentDate: new Date(nowSeconds * 1000) })).payload;
}

test("R-95 the token carries user, roles, groups, lifetime and the client audience", async () => {
  const claims = await claimsOf("?userId=u%201&role=a&role=b&group=g%2F1&minutesToExpire=7");
  expect(claims).toMatchObject({
    aud: "http://localhost/client/hubs/chat",
    sub: "u 1",
    role: ["a", "b"],
    "webpubsub.group": ["g/1"],
    iat: nowSeconds,
    nbf: nowSeconds,
    exp: nowSeconds + 7 * 60,
  });
  const plain = await claimsOf("?userId=");
  expect(Object.keys(plain).toSorted()).toEqual(["aud", "exp", "iat", "jti", "nbf"]);
  expect(plain.exp).toBe(nowSeconds + 3600);
  expect(plain.jti).not.toBe(claims.jti);
});

test("R-95 the audience is below the public endpoint, or below the address and path base of the request", async () => {
  const access = { publicEndpoints: ["https://hub.example.com/base/"] };
  expect((await claimsOf("", { access })).aud).toBe("https://hub.example.com/base/client/hubs/chat");
  expect((await claimsOf("", { pathBase: "/pubsub" })).aud).toBe("http://localhost/pubsub/client/hubs/chat");
});

test("R-96 the client type chooses the audience", async () => {
  for (const type of ["mqtt", "MQTT"])
    expect((await claimsOf(`?clientType=${type}`)).aud).toBe("http://localhost/clients/mqtt/hubs/chat");
  expect((await claimsOf("?clientType=socketio")).aud).toBe("http://localhost/clients/socketio/hubs/chat");
  expect((await claimsOf("?clientType=Default")).aud).toBe("http://localhost/client/hubs/chat");
});

test("R-96 an unknown type, an invalid lifetime and an invalid group are a 400 that names them", async () => {
  const cases = {
    "clientType=x": ["Invalid clientType.", "clientType"],
    "clientType=mqtt&clientType=mqtt": ["Invalid clientType.", "clientType"],
    "minutesToExpire=0": ["Invalid minutesToExpire.", "minutesToExpire"],
    "minutesToExpire=-1": ["Invalid minutesToExpire.", "minutesToExpire"],
    "minutesToExpire=2147483648": ["Invalid minutesToExpire.", "minutesToExpire"],
    "group=a&group=%20": ["Invalid group name.", "group"],
  };
  for (const [query, [message, target]] of Object.entries(cases)) {
    const { response, body } = await generate(`?${query}`);
    expect([query, response.status, body.message, body.target]).toEqual([
      query,
      400,
      message as string,
      target as string,
    ]);
  }
});
