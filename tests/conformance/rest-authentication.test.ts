import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { connectJson } from "../support/clients.ts";
import type { HttpResponse } from "../support/http-response.ts";
import { type HubApi, hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { type OidcIssuer, startOidcIssuer } from "../support/oidc-issuer.ts";
import { startProxy } from "../support/proxy.ts";
import { rejection } from "../support/rejection.ts";
import { expectEmpty, expectProblem } from "../support/rest-answers.ts";
import { anyServer, isForeign, type Server, startServer, type Target } from "../support/server.ts";
import { type Claims, clientToken, nowSeconds, restToken } from "../support/tokens.ts";

const minute = 60;

/** The answer is 401, with the challenge that belongs to a bad token or to a missing one. */
function expectUnauthorized(answer: HttpResponse, challenge = 'Bearer error="invalid_token"'): void {
  expectProblem(answer, 401, { code: "Error.Unauthorized", message: (answer.json as { message: string }).message });
  expect(answer.header("www-authenticate")).toBe(challenge);
}

/** A broadcast whose token has these claims. */
function send(api: HubApi, claims: Claims, headers: Record<string, string> = {}): Promise<HttpResponse> {
  return api("POST", "/:send", { body: "x", headers, signing: { claims } });
}

describe("any server", () => {
  let server: Target;
  let host: string;
  beforeAll(async () => {
    server = await anyServer();
    host = new URL(server.endpoint).host;
  });
  afterAll(async () => await server.stop());

  const statusFor = async (hub: string, claims: Claims): Promise<number> =>
    (await send(hubApi(server, hub), claims)).status;

  test("R-16 without Authorization the answer is 401 and nothing changes", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const client = await connectJson(server, { hub, groups: ["g"] });
    for (const [method, path] of [
      ["POST", "/:send"],
      ["DELETE", `/groups/g/connections/${client.connectionId}`],
      ["DELETE", `/connections/${client.connectionId}`],
      ["GET", "/groups/g/connections"],
      ["POST", "/:generateToken"],
    ] as const) {
      expectUnauthorized(await api(method, path, { body: "x", token: null }), "Bearer");
    }
    expect((await api("HEAD", "/groups/g", { token: null })).status).toBe(401);
    expect((await api("HEAD", "/groups/g")).status).toBe(200);
    await client.nothingArrived();
  });

  test("R-16 other schemes, tokens in the query and what is no token answer 401", async () => {
    const hub = freshName("hub");
    const token = restToken(server, `${server.endpoint}/api/hubs/${hub}/:send`);
    const api = hubApi(server, hub);
    const without = { body: "x", token: null } as const;
    expectUnauthorized(await api("POST", `/:send?access_token=${token}`, without), "Bearer");
    expectUnauthorized(
      await api("POST", "/:send", { ...without, headers: { Authorization: `Basic ${token}` } }),
      "Bearer",
    );
    expectUnauthorized(await api("POST", "/:send", { body: "x", token: "not.a.token" }));
    const spelled = await api("POST", "/:send", { ...without, headers: { Authorization: `bEARER   ${token}  ` } });
    expectEmpty(spelled, 202);
  });

  test("R-18 the full URL with its query is an audience", async () => {
    const hub = freshName("hub");
    const path = `/api/hubs/${hub}/:send?excluded=a%20b&filter=true`;
    const aud = `${server.endpoint}${path}&api-version=2024-12-01`;
    expectEmpty(await server.rest({ method: "POST", path, body: "x", signing: { claims: { aud } } }), 202);
  });

  test("R-19 the query of the audience does not matter", async () => {
    const hub = freshName("hub");
    const url = `${server.endpoint}/api/hubs/${hub}/:send`;
    for (const aud of [url, `${url}?api-version=2021-10-01`, `${url}?filter=false&x`, `${url}#fragment`]) {
      expect(await statusFor(hub, { aud })).toBe(202);
    }
  });

  test("R-20 the schemes of audiences are interchangeable, but others are refused", async () => {
    const hub = freshName("hub");
    const rest = `://${host}/api/hubs/${hub}/:send`;
    for (const scheme of ["http", "https", "ws", "wss", "HTTPS"]) {
      expect(await statusFor(hub, { aud: `${scheme}${rest}` })).toBe(202);
    }
    for (const aud of [`ftp${rest}`, rest.slice(3), rest.slice(1), `/api/hubs/${hub}/:send`]) {
      expectUnauthorized(await send(hubApi(server, hub), { aud }));
    }
  });

  test("R-21 a trailing slash and a child resource are accepted, a longer last segment is not", async () => {
    const path = `/api/hubs/${freshName("hub")}/groups/room/connections`;
    const ask = (suffix: string): Promise<HttpResponse> => {
      const signing = { claims: { aud: `${server.endpoint}${path}${suffix}` } };
      return server.rest({ path: `${path}/?maxpagesize=1`, signing });
    };
    for (const suffix of ["", "/", "/child", "?maxpagesize=99"]) expect((await ask(suffix)).status).toBe(200);
    for (const suffix of ["Suffix", "%253Fquery", "%3Fquery"]) expectUnauthorized(await ask(suffix));
  });

  test("R-22 an audience of another hub, group, user or operation answers 401", async () => {
    const hub = freshName("hub");
    const base = `${server.endpoint}/api/hubs/${hub}`;
    const api = hubApi(server, hub);
    for (const [path, aud] of [
      ["/:send", `${server.endpoint}/api/hubs/other/:send`],
      ["/:send", `${base}/:closeConnections`],
      ["/groups/g/:send", `${base}/groups/h/:send`],
      ["/groups/g/:send", `${base}/users/g/:send`],
      ["/users/u/:send", `${base}/users/v/:send`],
      ["/users/u/:send", `${base}/:send`],
      ["/users/u/:send", base],
    ] as const) {
      expectUnauthorized(await api("POST", path, { body: "x", signing: { claims: { aud } } }));
    }
  });

  test("R-23 the path of the audience is compared ignoring case, raw or decoded", async () => {
    const hub = freshName("hub");
    const base = `${server.endpoint}/api/hubs/${hub}`;
    expect(await statusFor(hub, { aud: `${server.endpoint}/API/Hubs/${hub.toUpperCase()}/:SEND` })).toBe(202);
    const api = hubApi(server, hub);
    for (const group of ["a b/c", "a%20b%2Fc", "A%20B%2fc"]) {
      const signing = { claims: { aud: `${base}/groups/${group}/:send` } };
      expectEmpty(await api("POST", "/groups/a%20b%2Fc/:send", { body: "x", signing }), 202);
    }
  });

  test("R-24 default ports are left out of the comparison", async () => {
    const hub = freshName("hub");
    const path = `/api/hubs/${hub}/:send`;
    for (const [Host, aud] of [
      ["ps.example.com", `https://ps.example.com:443${path}`],
      ["ps.example.com", `http://ps.example.com:80${path}`],
      ["PS.example.com:443", `https://ps.EXAMPLE.com${path}`],
    ] as const) {
      expectEmpty(await send(hubApi(server, hub), { aud }, { Host }), 202);
    }
    const aud = `https://ps.example.com:8443${path}`;
    expectUnauthorized(await send(hubApi(server, hub), { aud }, { Host: "ps.example.com" }));
  });

  test("R-27 the hub alone is an audience of its broadcast only", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const client = await connectJson(server, { hub });
    const signing = { claims: { aud: `${server.endpoint}/api/hubs/${hub}` } };
    expectEmpty(await api("POST", "/:send", { body: "hello", signing }), 202);
    expectUnauthorized(await api("POST", "/:closeConnections", { signing }));
    expect(await client.next()).toMatchObject({ data: "hello" });
    await client.nothingArrived();
  });

  test("R-28 a token is accepted a minute after its end, and not beyond five", async () => {
    const hub = freshName("hub");
    expect(await statusFor(hub, { exp: nowSeconds() - minute })).toBe(202);
    expectUnauthorized(await send(hubApi(server, hub), { exp: nowSeconds() - 6 * minute }));
  });

  test("R-29 a token without exp answers 401", async () => {
    expectUnauthorized(await send(hubApi(server, freshName("hub")), { exp: undefined }));
  });

  test("R-30 nbf two minutes ahead is accepted, ten minutes ahead is not", async () => {
    const hub = freshName("hub");
    expect(await statusFor(hub, { nbf: nowSeconds() + 2 * minute })).toBe(202);
    expectUnauthorized(await send(hubApi(server, hub), { nbf: nowSeconds() + 10 * minute }));
  });

  test("R-31 one match in a list of audiences suffices", async () => {
    const hub = freshName("hub");
    const right = `${server.endpoint}/api/hubs/${hub}/:send`;
    const wrong = `${server.endpoint}/api/hubs/other/:send`;
    expect(await statusFor(hub, { aud: [wrong, right] })).toBe(202);
    for (const aud of [[wrong], [], undefined]) expectUnauthorized(await send(hubApi(server, hub), { aud }));
  });

  test("R-32 a client token is no REST token, and a REST token no client token", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    expectUnauthorized(await api("POST", "/:send", { body: "x", token: clientToken(server, { hub }) }));
    const token = restToken(server, `${server.endpoint}/api/hubs/${hub}/:send`);
    expect(await rejection(connectJson(server, { hub, token }))).toContain("answered 401");
  });

  test("R-32 alg none and other algorithms than HS256 answer 401", async () => {
    const hub = freshName("hub");
    const url = `${server.endpoint}/api/hubs/${hub}/:send`;
    const unsigned = restToken(server, url, { signing: { header: { alg: "none" } } }).replace(/[^.]*$/, "");
    const api = hubApi(server, hub);
    for (const token of [
      unsigned,
      restToken(server, url, { signing: { header: { alg: "none" } } }),
      restToken(server, url, { signing: { header: { alg: "HS384" } } }),
      restToken(server, url).slice(0, -2),
    ]) {
      expectUnauthorized(await api("POST", "/:send", { body: "x", token }));
    }
  });
});

describe.skipIf(isForeign)("keys and hosts", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer({ service: { trustedProxies: ["127.0.0.1"] } });
  });
  afterAll(async () => await server.stop());

  test("R-17 the secondary key signs as well, another key does not", async () => {
    const api = hubApi(server, freshName("hub"));
    expectEmpty(await api("POST", "/:send", { body: "x", signing: { signing: { key: server.secondaryKey } } }), 202);
    for (const key of [
      "another-key-of-at-least-32-bytes-0123",
      server.primaryKey.toLowerCase(),
      "",
      Buffer.from(server.primaryKey, "base64"),
    ]) {
      expectUnauthorized(await api("POST", "/:send", { body: "x", signing: { signing: { key } } }));
    }
  });

  test("R-25 the host of an audience must be the request's, a trusted forwarded one or a public endpoint", async () => {
    const hub = freshName("hub");
    const path = `/api/hubs/${hub}/:send`;
    const audience = (host: string): Claims => ({ aud: `https://${host}${path}` });
    expectUnauthorized(await send(hubApi(server, hub), audience("forwarded.example")));
    expectEmpty(
      await send(hubApi(server, hub), audience("forwarded.example"), { "X-Forwarded-Host": "forwarded.example" }),
      202,
    );
    expectUnauthorized(await send(hubApi(server, hub), audience("public.example")));
    await server.reconfigure({ service: { publicEndpoints: ["https://first.example", "https://public.example"] } });
    expectEmpty(await send(hubApi(server, hub), audience("public.example")), 202);
    expectUnauthorized(await send(hubApi(server, hub), audience("public.example:8443")));
    await server.reconfigure({ service: { publicEndpoints: [] } });
    expectUnauthorized(await send(hubApi(server, hub), audience("public.example")));
  });
});

test.skipIf(isForeign)(
  "R-26 the SDK's reverseProxyEndpoint works once the original endpoint is configured",
  async () => {
    const server = await startServer();
    const proxy = await startProxy({ target: server.endpoint });
    try {
      const hub = freshName("hub");
      const original = `Endpoint=http://original.example.com;AccessKey=${server.primaryKey};Version=1.0;`;
      const sdk = new WebPubSubServiceClient(original, hub, {
        reverseProxyEndpoint: proxy.url,
        allowInsecureConnection: true,
        retryOptions: { maxRetries: 0 },
      });
      const client = await connectJson(server, { hub });
      const refused: unknown = await sdk
        .sendToAll("refused", { contentType: "text/plain" })
        .catch((error: unknown) => error);
      expect(refused).toMatchObject({ statusCode: 401 });
      await server.reconfigure({ service: { publicEndpoints: ["http://original.example.com"] } });
      await sdk.sendToAll("by way of the proxy", { contentType: "text/plain" });
      expect(await client.next()).toMatchObject({ data: "by way of the proxy" });
      expect(proxy.requests.length).toBeGreaterThan(0);
    } finally {
      await proxy.stop();
      await server.stop();
    }
  },
);

test.skipIf(isForeign)("R-33 with disableLocalAuth a key token answers 401", async () => {
  const server = await startServer({ properties: { disableLocalAuth: true } });
  try {
    for (const key of [server.primaryKey, server.secondaryKey]) {
      const signing = { signing: { key } };
      expectUnauthorized(await hubApi(server, freshName("hub"))("POST", "/:send", { body: "x", signing }));
    }
  } finally {
    await server.stop();
  }
});

describe.skipIf(isForeign)("tokens of an issuer", () => {
  let issuer: OidcIssuer;
  let stranger: OidcIssuer;
  let server: Server;
  beforeAll(async () => {
    issuer = await startOidcIssuer();
    stranger = await startOidcIssuer();
    server = await startServer({ auth: { oidc: [issuer.settings()] } });
  });
  afterAll(async () => {
    await server.stop();
    await issuer.stop();
    await stranger.stop();
  });

  test("R-34 a token of the configured issuer with the owner role may do everything", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const client = await connectJson(server, { hub });
    const token = issuer.token();
    expectEmpty(await api("POST", "/:send", { body: "by the issuer", token }), 202);
    expect(await client.next()).toMatchObject({ data: "by the issuer" });
    expectEmpty(await api("PUT", `/groups/g/connections/${client.connectionId}`, { token }), 200);
    expect((await api("POST", "/:generateToken", { token })).status).toBe(200);
    expectEmpty(await api("DELETE", `/connections/${client.connectionId}`, { token }), 204);
    expect(issuer.fetched).toBe(1);
  });

  test("R-34 unknown issuer, wrong signature, audience, lifetime or algorithm answer 401", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const client = await connectJson(server, { hub });
    const now = nowSeconds();
    for (const token of [
      stranger.token(),
      stranger.token({ claims: { iss: issuer.issuer } }),
      issuer.token({ forged: true }),
      issuer.token({ claims: { iss: `${issuer.issuer}/` } }),
      issuer.token({ claims: { aud: "https://webpubsub.azure.com/" } }),
      issuer.token({ claims: { aud: `${server.endpoint}/api/hubs/${hub}/:send` } }),
      issuer.token({ claims: { exp: now - 6 * minute } }),
      issuer.token({ claims: { exp: undefined } }),
      issuer.token({ claims: { nbf: now + 10 * minute } }),
      issuer.token({ header: { alg: "none" } }),
      issuer.token({ header: { alg: "HS256" } }),
      issuer.token({ header: { alg: "ES256" } }),
      issuer.token({ header: { kid: "unknown" } }),
    ]) {
      expectUnauthorized(await api("POST", "/:send", { body: "x", token }));
    }
    expect(stranger.fetched).toBe(0);
    await client.nothingArrived();
  });

  test("R-34 an authentic token that no role rule fits answers 403", async () => {
    const answer = await hubApi(server, freshName("hub"))("GET", "/groups/g/connections", {
      token: issuer.token({ claims: { appid: "some-app" } }),
    });
    expect({ status: answer.status, body: answer.json }).toMatchObject({
      status: 403,
      body: { code: "Error.Forbidden" },
    });
  });

  test("R-35 a reader may look at everything and change nothing", async () => {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    const client = await connectJson(server, { hub, userId: "u", groups: ["g"], roles: ["webpubsub.sendToGroup.g"] });
    const id = client.connectionId;
    const token = issuer.token({ claims: { appid: ["reader-app", "other"] } });
    for (const path of [
      `/connections/${id}`,
      "/groups/g",
      "/users/u",
      `/permissions/sendToGroup/connections/${id}?targetName=g`,
    ]) {
      expect((await api("HEAD", path, { token })).status).toBe(200);
    }
    expect((await api("GET", "/groups/g/connections", { token })).json).toMatchObject({
      value: [{ connectionId: id }],
    });
    for (const [method, path] of [
      ["POST", "/:send"],
      ["POST", `/connections/${id}/:send`],
      ["POST", "/groups/g/:send"],
      ["POST", "/users/u/:send"],
      ["PUT", `/groups/h/connections/${id}`],
      ["DELETE", `/groups/g/connections/${id}`],
      ["DELETE", `/connections/${id}/groups`],
      ["PUT", "/users/u/groups/h"],
      ["DELETE", "/users/u/groups/g"],
      ["DELETE", "/users/u/groups"],
      ["POST", "/:addToGroups"],
      ["POST", "/:removeFromGroups"],
      ["POST", "/:closeConnections"],
      ["POST", "/groups/g/:closeConnections"],
      ["POST", "/users/u/:closeConnections"],
      ["DELETE", `/connections/${id}`],
      ["PUT", `/permissions/joinLeaveGroup/connections/${id}?targetName=g`],
      ["DELETE", `/permissions/sendToGroup/connections/${id}?targetName=g`],
      ["POST", "/:generateToken"],
    ] as const) {
      const answer = await api(method, path, { body: "x", token });
      expect({ path, status: answer.status, body: answer.json }).toMatchObject({
        path,
        status: 403,
        body: { code: "Error.Forbidden" },
      });
    }
    await client.nothingArrived();
  });
});

test.skipIf(isForeign)("R-36 a path base belongs to the request, to the audience and to nextLink", async () => {
  const server = await startServer({ service: { pathBase: "/pubsub" } });
  try {
    expect(server.endpoint).toEndWith("/pubsub");
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    for (let count = 0; count < 2; count++) await connectJson(server, { hub, groups: ["g"] });
    const page = await api("GET", "/groups/g/connections?maxpagesize=1");
    const { nextLink } = page.json as { nextLink: string };
    expect(nextLink).toStartWith(`${server.endpoint}/api/hubs/${hub}/groups/g/connections?`);
    const next = await server.rest({ path: nextLink.slice(server.endpoint.length), apiVersion: null });
    expect(next.json).toMatchObject({ value: [{}], nextLink: null });
    const path = `/pubsub/api/hubs/${hub}/groups/other/connections`;
    const claims = { aud: `${new URL(server.endpoint).origin}${path}` };
    expectUnauthorized(await api("GET", "/groups/g/connections", { signing: { claims } }));
  } finally {
    await server.stop();
  }
});
