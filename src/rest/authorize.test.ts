import { beforeAll, describe, expect, test } from "bun:test";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { createHarness, nowSeconds, secondaryKey, signKeyToken } from "../../tests/support/rest-harness.ts";
import { createOidcVerifier, defaultOidcAlgorithms, ENTRA_AUDIENCE } from "../auth/oidc.ts";

const url = "http://localhost/api/hubs/chat/:send";
const exp = nowSeconds + 60;

describe("key tokens", () => {
  async function statusFor(
    claims: Readonly<Record<string, unknown>>,
    line = "POST /api/hubs/chat/:send?api-version=2024-12-01",
  ) {
    return (await createHarness().send(line, { auth: await signKeyToken(claims) })).status;
  }

  test("R-16 no, another or an unreadable token is a 401 with a challenge and changes nothing", async () => {
    const { send, recorded } = createHarness();
    const line = "POST /api/hubs/chat/:send";
    const none = await send(line, { auth: null });
    expect([none.status, none.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect(await none.json()).toMatchObject({ code: "Error.Unauthorized" });
    const basic = await send(line, { auth: null, headers: { authorization: "Basic eDp5" } });
    expect([basic.status, basic.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    const bad = await send(line, { auth: "no-token" });
    expect([bad.status, bad.headers.get("www-authenticate")]).toEqual([401, 'Bearer error="invalid_token"']);
    expect((await send(`${line}?access_token=${await signKeyToken({ aud: url, exp })}`, { auth: null })).status).toBe(
      401,
    );
    expect(recorded).toEqual([]);
  });

  test("authorization comes before version, names and filter", async () => {
    const { send } = createHarness();
    expect((await send("POST /api/hubs/1bad/:send?api-version=x&filter=)", { auth: null })).status).toBe(401);
  });

  test("R-17 the secondary key signs as well, another key does not", async () => {
    const { send } = createHarness();
    const line = "POST /api/hubs/chat/:send";
    expect((await send(line, { auth: await signKeyToken({ aud: url, exp }, secondaryKey) })).status).toBe(202);
    expect((await send(line, { auth: await signKeyToken({ aud: url, exp }, "x".repeat(40)) })).status).toBe(401);
  });

  test("R-18 R-19 R-20 query and scheme of the audience do not matter", async () => {
    const accepted = ["", "?api-version=2024-12-01", "?other=1"].map((query) => url + query);
    for (const scheme of ["https", "ws", "wss"]) accepted.push(url.replace("http", scheme));
    for (const aud of accepted) expect([aud, await statusFor({ aud, exp })]).toEqual([aud, 202]);
    expect(await statusFor({ aud: url.replace("http", "ftp"), exp })).toBe(401);
  });

  test("R-21 R-22 R-23 the path of the audience is that of the request or below it, in any case", async () => {
    for (const aud of [`${url}/`, `${url}/child`, url.toUpperCase().replace("HTTP", "http")]) {
      expect([aud, await statusFor({ aud, exp })]).toEqual([aud, 202]);
    }
    for (const path of ["other/:send", "chat/:sendSuffix", "chat/groups/g/:send", "chat/:closeConnections"]) {
      expect([path, await statusFor({ aud: `http://localhost/api/hubs/${path}`, exp })]).toEqual([path, 401]);
    }
  });

  test("R-24 R-25 the host of the audience is the caller's or a public endpoint, default ports elided", async () => {
    const aud = "https://hub.example.com:443/api/hubs/chat/:send";
    const auth = await signKeyToken({ aud, exp });
    const line = "POST /api/hubs/chat/:send";
    const refused = createHarness();
    expect((await refused.send(line, { auth })).status).toBe(401);
    expect((await refused.send(line, { auth, caller: { host: "hub.example.com" } })).status).toBe(202);
    const forwarded = { host: "localhost", audienceHosts: ["localhost", "hub.example.com"] };
    expect((await refused.send(line, { auth, caller: forwarded })).status).toBe(202);
    const configured = createHarness({ audience: { publicEndpoints: ["https://hub.example.com"] } });
    expect((await configured.send(line, { auth })).status).toBe(202);
  });

  test("M-52 a refused audience is logged with the text operators search for, without the token", async () => {
    const { send, logs } = createHarness();
    const auth = await signKeyToken({ aud: "http://localhost/client/hubs/chat", exp });
    await send("POST /api/hubs/chat/:send", { auth });
    expect(logs.length).toBe(1);
    expect(logs[0]).toMatchObject({
      level: "warning",
      fields: { collection: "Authorization", callerIpAddress: "192.0.2.1" },
    });
    expect(logs[0]?.fields.message).toStartWith("Failed to validate audience. Expected Audiences: ");
    expect(JSON.stringify(logs)).not.toContain(auth.slice(-20));
  });

  test("R-27 the documented audience of a broadcast is accepted for nothing else", async () => {
    const aud = "http://localhost/api/hubs/chat";
    expect(await statusFor({ aud, exp })).toBe(202);
    expect(await statusFor({ aud, exp }, "POST /api/hubs/chat/:closeConnections")).toBe(401);
  });

  test("R-28 R-29 R-30 lifetime is required and has five minutes of tolerance", async () => {
    expect(await statusFor({ aud: url, exp: nowSeconds - 60 })).toBe(202);
    expect(await statusFor({ aud: url, exp: nowSeconds - 301 })).toBe(401);
    expect(await statusFor({ aud: url })).toBe(401);
    expect(await statusFor({ aud: url, exp, nbf: nowSeconds + 120 })).toBe(202);
    expect(await statusFor({ aud: url, exp, nbf: nowSeconds + 600 })).toBe(401);
  });

  test("R-31 R-32 one audience of several is enough; client tokens and unsigned ones are refused", async () => {
    expect(await statusFor({ aud: ["http://elsewhere", url], exp })).toBe(202);
    expect(await statusFor({ aud: "http://localhost/client/hubs/chat", exp })).toBe(401);
    const unsigned = new UnsecuredJWT({ aud: url, exp }).encode();
    expect((await createHarness().send("POST /api/hubs/chat/:send", { auth: unsigned })).status).toBe(401);
  });

  test("R-33 without local authentication a key token is refused", async () => {
    const { send } = createHarness({ access: { keys: [] } });
    expect((await send("POST /api/hubs/chat/:send")).status).toBe(401);
  });

  test("R-36 the path base may be in the audience", async () => {
    const { send } = createHarness({ pathBase: "/pubsub" });
    expect((await send("POST /api/hubs/chat/:send")).status).toBe(202);
  });
});

describe("tokens of issuers", () => {
  const issuer = "https://issuer.example.com/";
  let sign: (claims: Readonly<Record<string, unknown>>) => Promise<string>;
  let signByStranger: typeof sign;
  let harness: () => ReturnType<typeof createHarness>;

  beforeAll(async () => {
    const trusted = await generateKeyPair("RS256");
    const stranger = await generateKeyPair("RS256");
    const signer = (key: CryptoKey) => (claims: Readonly<Record<string, unknown>>) =>
      new SignJWT({ iss: issuer, aud: ENTRA_AUDIENCE, exp, ...claims })
        .setProtectedHeader({ alg: "RS256", kid: "k" })
        .sign(key);
    sign = signer(trusted.privateKey);
    signByStranger = signer(stranger.privateKey);
    const keys = { keys: [{ ...(await exportJWK(trusted.publicKey)), kid: "k", alg: "RS256" }] };
    const roles = [
      { claim: "oid", value: "o", role: "owner" },
      { claim: "oid", value: "r", role: "reader" },
    ] as const;
    const oidc = createOidcVerifier({
      issuers: [{ issuer, keys, audiences: [ENTRA_AUDIENCE], algorithms: defaultOidcAlgorithms, roles }],
      allowUnvalidatedEntraTokens: false,
      skewSeconds: 300,
      fetchTimeoutMs: 1000,
      fetch: () => Promise.reject(new Error("no network in this test")),
      nowMs: () => nowSeconds * 1000,
    });
    harness = () => createHarness({ access: { oidc } });
  });

  test("R-34 an owner of a configured issuer may send; another issuer, key or audience is refused", async () => {
    const { send, recorded } = harness();
    const line = "POST /api/hubs/chat/:send";
    expect((await send(line, { auth: await sign({ oid: "o" }) })).status).toBe(202);
    expect(recorded.length).toBe(1);
    const refused = [
      await sign({ oid: "o", iss: "https://other.example.com/" }),
      await sign({ oid: "o", aud: "https://other.example.com" }),
      await signByStranger({ oid: "o" }),
    ];
    for (const auth of refused) expect((await send(line, { auth })).status).toBe(401);
    expect((await createHarness().send(line, { auth: await sign({ oid: "o" }) })).status).toBe(401);
    expect(recorded.length).toBe(1);
  });

  test("a key token is not offered to the issuers", async () => {
    const { send, logs } = harness();
    const auth = await signKeyToken({ iss: issuer, aud: ENTRA_AUDIENCE, exp }, "x".repeat(40));
    expect((await send("POST /api/hubs/chat/:send", { auth })).status).toBe(401);
    expect(logs.map(({ fields }) => fields.message)).toEqual(["The access token was refused: signature."]);
  });

  test("R-35 a reader may look but not change, a caller without role may nothing", async () => {
    const { send, recorded } = harness();
    const auth = await sign({ oid: "r" });
    const allowed = ["HEAD connections/c", "HEAD groups/g", "HEAD users/u", "GET groups/g/connections"];
    allowed.push("HEAD permissions/sendToGroup/connections/c?targetName=g");
    for (const line of allowed) expect((await send(line.replace(" ", " /api/hubs/chat/"), { auth })).status).toBe(200);
    const before = recorded.length;
    const refused = ["POST :send", "POST :generateToken", "POST :closeConnections", "DELETE connections/c"];
    refused.push("PUT groups/g/connections/c", "POST :addToGroups", "PUT permissions/1/connections/c?targetName=g");
    for (const line of refused) {
      const response = await send(line.replace(" ", " /api/hubs/chat/"), { auth });
      expect([line, response.status, response.headers.get("x-ms-error-code")]).toEqual([line, 403, "Error.Forbidden"]);
    }
    expect(recorded.length).toBe(before);
    expect((await send("HEAD /api/hubs/chat/users/u", { auth: await sign({ oid: "?" }) })).status).toBe(403);
  });
});
