import { afterAll, beforeAll, expect, test } from "bun:test";
import { connectJson } from "../support/clients.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { type OidcIssuer, startOidcIssuer } from "../support/oidc-issuer.ts";
import { rejection } from "../support/rejection.ts";
import { expectEmpty } from "../support/rest-answers.ts";
import { startServer } from "../support/server.ts";

let issuer: OidcIssuer;
beforeAll(async () => {
  issuer = await startOidcIssuer();
});
afterAll(async () => await issuer.stop());

test("M-24 with disableLocalAuth only tokens minted for an issuer's owner open connections", async () => {
  const server = await startServer({ auth: { oidc: [issuer.settings()] }, properties: { disableLocalAuth: true } });
  try {
    const hub = freshName("hub");
    const api = hubApi(server, hub);
    for (const key of [server.primaryKey, server.secondaryKey]) {
      const signing = { key };
      expect((await api("POST", "/:send", { body: "x", signing: { signing } })).status).toBe(401);
      expect(await rejection(connectJson(server, { hub, signing }))).toContain("answered 401");
    }
    const minted = await api("POST", "/:generateToken?userId=u", { token: issuer.token() });
    const { token } = minted.json as { token: string };
    const client = await connectJson(server, { hub, token });
    expect(client.connected).toMatchObject({ userId: "u" });
    expectEmpty(await api("POST", "/:send", { body: "hello", token: issuer.token() }), 202);
    expect(await client.next()).toMatchObject({ data: "hello" });
    expect((await api("POST", "/:send", { body: "x", token })).status).toBe(401);
    const reader = issuer.token({ claims: { appid: "reader-app" } });
    expect((await api("POST", "/:generateToken", { token: reader })).status).toBe(403);
  } finally {
    await server.stop();
  }
});

test("M-25 with disableAadAuth an issuer's token answers 401", async () => {
  const server = await startServer({ auth: { oidc: [issuer.settings()] } });
  try {
    const api = hubApi(server, freshName("hub"));
    const token = issuer.token();
    expectEmpty(await api("POST", "/:send", { body: "x", token }), 202);
    await server.reconfigure({ properties: { disableAadAuth: true } });
    expect((await api("POST", "/:send", { body: "x", token })).status).toBe(401);
    expectEmpty(await api("POST", "/:send", { body: "x" }), 202);
  } finally {
    await server.stop();
  }
});

test("M-26 with both switches the start warns, and REST answers 401 to everyone", async () => {
  const server = await startServer({
    auth: { oidc: [issuer.settings()] },
    properties: { disableLocalAuth: true, disableAadAuth: "True" },
  });
  try {
    expect(server.output()).toMatch(/warning.*properties\.disableAadAuth.*disableLocalAuth/);
    const api = hubApi(server, freshName("hub"));
    expect((await api("POST", "/:send", { body: "x" })).status).toBe(401);
    expect((await api("POST", "/:send", { body: "x", token: issuer.token() })).status).toBe(401);
    expect((await api("GET", "/groups/g/connections", { token: null })).status).toBe(401);
  } finally {
    await server.stop();
  }
});
