import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type ClientOptions, clientPath, connectJson } from "../support/clients.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { eventSignature } from "../support/events.ts";
import { hubApi } from "../support/hub-api.ts";
import { type KeySet, startKeySet } from "../support/key-set.ts";
import { freshName } from "../support/names.ts";
import { allRoles } from "../support/roles.ts";
import { anyServer, isForeign, type Server, startServer, type Target } from "../support/server.ts";
import { clientToken, nowSeconds, restToken, signToken } from "../support/tokens.ts";
import { handshake } from "../support/web-socket.ts";

async function handshakeStatus(server: Target, options: ClientOptions): Promise<number> {
  const path = clientPath(server, options);
  return (await handshake(server.endpoint, { path, headers: options.headers })).status;
}

describe("any server", () => {
  let server: Target;
  beforeAll(async () => {
    server = await anyServer();
  });
  afterAll(async () => await server.stop());

  test("H-57 a token is good for its own hub and its own kind of request alone", async () => {
    const [hub, other] = [freshName("hub"), freshName("other")];
    const token = clientToken(server, { hub });
    expect(await handshakeStatus(server, { hub, token })).toBe(101);
    expect(await handshakeStatus(server, { hub: other, token })).toBe(401);
    const send = (name: string, bearer: string) => hubApi(server, name)("POST", "/:send", { body: "x", token: bearer });
    const forRest = restToken(server, `${server.endpoint}/api/hubs/${hub}/:send`);
    expect((await send(hub, forRest)).status).toBe(202);
    expect((await send(other, forRest)).status).toBe(401);
    expect((await send(hub, token)).status).toBe(401);
    expect(await handshakeStatus(server, { hub, token: forRest })).toBe(401);
    const removal = await hubApi(server, hub)("DELETE", "/groups/g/connections/c", { token: forRest });
    expect(removal.status).toBe(401);
  });

  test("H-50 no spelling of `alg: none`, no other algorithm and no changed token opens a connection", async () => {
    const hub = freshName("hub");
    const good = clientToken(server, { hub });
    const [head = "", body = "", signature = ""] = good.split(".");
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as Record<string, unknown>;
    const bad = [
      ...["none", "None", "NONE", "nOnE", "", null, 0, "RS256", "ES256", "HS1", ["HS256"]].flatMap((alg) => [
        `${encode({ alg })}.${body}.`,
        `${encode({ alg })}.${body}.${signature}`,
      ]),
      `${head}.${body}`,
      `${head}.${body}.`,
      `${head}.${encode({ ...claims, sub: "admin" })}.${signature}`,
      `${encode({ alg: "HS256", kid: "x" })}.${body}.${signature}`,
      `${head}.${body}.${signature.slice(0, -1)}`,
      `${head}.${body}.${signature}.${signature}`,
      signToken(claims, { key: "" }),
      signToken(claims, { key: server.primaryKey, header: { crit: ["exp"] } }),
      signToken(claims, { key: server.primaryKey, header: { alg: "HS512" } }),
    ];
    expect(await handshakeStatus(server, { hub, token: good })).toBe(101);
    for (const token of bad) expect(await handshakeStatus(server, { hub, token })).toBe(401);
  });

  test("H-54 cookies never authenticate", async () => {
    const hub = freshName("hub");
    const token = clientToken(server, { hub });
    const cookie = ["Cookie", `access_token=${token}; Authorization=Bearer ${token}; token=${token}`] as const;
    const path = `/client/hubs/${hub}`;
    for (const headers of [[cookie], [cookie, ["Origin", "https://other.example"] as const]])
      expect((await handshake(server.endpoint, { path, headers })).status).toBe(401);
    const sent = await hubApi(server, hub)("POST", "/:send", {
      body: "x",
      token: null,
      headers: { Cookie: `access_token=${restToken(server, `${server.endpoint}/api/hubs/${hub}/:send`)}` },
    });
    expect(sent.status).toBe(401);
  });

  /** The documents' rule in a few lines: literal names, and patterns as regular expressions. */
  function mayDo(action: "joinLeaveGroup" | "sendToGroup", group: string, roles: readonly string[]): boolean {
    return roles.some((role) => {
      if (role === `webpubsub.${action}` || role === `webpubsub.${action}.${group}`) return true;
      const prefix = `webpubsub.${action}s.`;
      if (!role.startsWith(prefix)) return false;
      const source = role
        .slice(prefix.length)
        .replaceAll(/\*\*+|\\?[\s\S]/g, (part) =>
          part.startsWith("**")
            ? "[^]*"
            : part === "*"
              ? "[^.]*"
              : part === "?"
                ? "[^.]"
                : RegExp.escape(part.at(-1) ?? ""),
        );
      return new RegExp(`^${source}$`).test(group);
    });
  }

  const groups = ["room", "room-7", "room.7", "room.7.a", "r*", "r?", "*", "**", "?", "ROOM", "a*b", "axb"];
  const roleSets = [
    [],
    ["webpubsub.joinLeaveGroup"],
    ["webpubsub.sendToGroup"],
    ["webpubsub.joinLeaveGroup.room.7", "webpubsub.sendToGroup.room"],
    ["webpubsub.joinLeaveGroup.*", "webpubsub.sendToGroup.r?"],
    ["webpubsub.joinLeaveGroups.room*", "webpubsub.sendToGroups.room.*"],
    ["webpubsub.joinLeaveGroups.room.**", "webpubsub.sendToGroups.**"],
    ["webpubsub.joinLeaveGroups.?", "webpubsub.sendToGroups.r?"],
    ["webpubsub.joinLeaveGroups.a\\*b", "webpubsub.sendToGroups.room"],
    ["webpubsub.joinleavegroup", "webpubsub.sendtogroup", "joinLeaveGroup", "webpubsub.", "webpubsub.sendToGroups."],
  ];

  test.each(roleSets.map((roles) => [roles.join(" ") || "none", roles] as const))(
    "H-56 the roles %s allow what the model says",
    async (_what, roles) => {
      const client = await connectJson(server, { hub: freshName("hub"), roles });
      for (const group of groups) {
        const isAllowed = async (type: string): Promise<unknown> =>
          (await client.ask({ type, group, dataType: "text", data: "x", noEcho: true }))["success"];
        expect([group, await isAllowed("sendToGroup")]).toEqual([group, mayDo("sendToGroup", group, roles)]);
        for (const type of ["joinGroup", "leaveGroup"])
          expect([group, type, await isAllowed(type)]).toEqual([group, type, mayDo("joinLeaveGroup", group, roles)]);
      }
    },
  );

  test("H-56 revoked by REST, a group is closed against literal, pattern and global roles until it is granted", async () => {
    for (const role of ["webpubsub.sendToGroup.a.b*", "webpubsub.sendToGroups.a.*", "webpubsub.sendToGroup"]) {
      const client = await connectJson(server, { hub: freshName("hub"), roles: [role] });
      const api = hubApi(server, client.hub);
      const send = async (group: string): Promise<unknown> =>
        (await client.ask({ type: "sendToGroup", group, data: 1, noEcho: true }))["success"];
      const change = async (method: "PUT" | "DELETE"): Promise<number> =>
        (await api(method, `/permissions/sendToGroup/connections/${client.connectionId}?targetName=a.b*`)).status;
      expect(await send("a.b*")).toBe(true);
      expect(await change("DELETE")).toBe(204);
      expect(await send("a.b*")).toBe(false);
      expect(await send("a.bc")).toBe(role !== "webpubsub.sendToGroup.a.b*");
      expect(await change("PUT")).toBe(200);
      expect(await send("a.b*")).toBe(true);
      expect(await send("a.b.c")).toBe(role === "webpubsub.sendToGroup");
    }
  });

  test("H-56 of 1,001 literal groups the last is not allowed, of the 1,000 the last is", async () => {
    const client = await connectJson(server, { hub: freshName("hub"), roles: ["webpubsub.joinLeaveGroup"] });
    const literal = Array.from({ length: 1001 }, (_, at) => `webpubsub.sendToGroup.g${at}`);
    // In the header: as a query parameter it would be longer than a request line may be.
    const token = clientToken(server, { hub: client.hub, roles: literal });
    const headers = [["Authorization", `Bearer ${token}`]] as const;
    const limited = await connectJson(server, { hub: client.hub, token: null, headers });
    const send = (group: string) => limited.ask({ type: "sendToGroup", group, data: 1, noEcho: true });
    expect(await send("g999")).toEqual({ success: true });
    expect(await send("g1000")).toMatchObject({ success: false, error: { name: "Forbidden" } });
  });
});

describe.skipIf(isForeign)("a server that trusts two issuers", () => {
  let server: Server;
  let first: KeySet;
  let second: KeySet;
  let attacker: KeySet;
  beforeAll(async () => {
    [first, second, attacker] = (await Promise.all(
      ["shared", "shared", "shared"].map((kid) => startKeySet({ kid })),
    )) as [KeySet, KeySet, KeySet];
    server = await startServer({ auth: { oidc: [first.settings(), second.settings()] } });
  });
  afterAll(async () => {
    await server.stop();
    await Promise.all([first, second, attacker].map((each) => each.stop()));
  });

  const statusOf = async (token: string): Promise<number> =>
    (await hubApi(server, "h")("POST", "/:send", { body: "x", token })).status;

  test("H-51 issuers that share a key id do not accept each other's tokens, whichever was asked first", async () => {
    expect(await statusOf(first.token())).toBe(202);
    expect(await statusOf(first.token({ iss: second.issuer }))).toBe(401);
    expect(await statusOf(second.token({ iss: first.issuer }))).toBe(401);
    expect(await statusOf(second.token())).toBe(202);
    expect(await statusOf(first.token({ iss: second.issuer }))).toBe(401);
    expect(await statusOf(second.token({ iss: first.issuer }))).toBe(401);
  });

  test("H-50 no token makes the service ask an address that stands in it", async () => {
    expect(await statusOf(first.token())).toBe(202); // its keys are known from here on
    const asked = first.requests.untaken.length + second.requests.untaken.length;
    const trusted = { iss: first.issuer };
    const keys = `${attacker.url}/keys`;
    const pem = first.publicKey.export({ format: "pem", type: "spki" }).toString();
    const claims = { ...trusted, aud: "https://webpubsub.azure.com", exp: nowSeconds() + 3600, appid: "app" };
    const hostile: readonly string[] = [
      attacker.token(),
      attacker.token({ iss: `${first.issuer}/` }),
      attacker.token({ iss: `${first.issuer}@${new URL(attacker.url).host}` }),
      attacker.token({ iss: [first.issuer, attacker.issuer] }),
      attacker.token(trusted),
      attacker.token(trusted, { jku: keys }),
      attacker.token(trusted, { x5u: keys }),
      attacker.token(trusted, { jku: keys, x5u: keys, kid: "shared" }),
      attacker.token(trusted, { jwk: attacker.publicKey.export({ format: "jwk" }) }),
      attacker.token(trusted, { x5c: [Buffer.from("x").toString("base64")] }),
      attacker.token(trusted, { alg: "none" }),
      attacker.token(trusted, { alg: "none" }).replace(/[^.]*$/, ""),
      attacker.token(trusted, { alg: "HS256" }),
      signToken(claims, { key: pem, header: { kid: "shared" } }),
      signToken(claims, { key: pem.trim(), header: { kid: "shared" } }),
      signToken(claims, { key: Buffer.from(pem.replaceAll(/-.*-|\s/g, ""), "base64"), header: { kid: "shared" } }),
      signToken(claims, { key: "", header: { kid: "shared" } }),
    ];
    for (const token of hostile) {
      expect(await statusOf(token)).toBe(401);
      const client = { hub: freshName("hub"), token };
      expect(await handshakeStatus(server, client)).toBe(401);
    }
    expect(attacker.requests.untaken).toEqual([]);
    expect(first.requests.untaken.length + second.requests.untaken.length).toBe(asked);
  });

  test("H-50 a key id that is a path or a URL is only compared; at most the issuer itself is asked again", async () => {
    expect(await statusOf(first.token())).toBe(202);
    const before = first.requests.untaken.length;
    for (const kid of ["../../etc/passwd", "/dev/null", `${attacker.url}/keys`, "shared\0", "' or 1=1", "__proto__"])
      expect(await statusOf(first.token({}, { kid }))).toBe(401);
    expect(attacker.requests.untaken).toEqual([]);
    const asked = first.requests.untaken.slice(before).map(({ url }) => url);
    expect([[], ["/keys"]]).toContainEqual(asked);
    expect(await statusOf(first.token())).toBe(202);
  });
});

describe.skipIf(isForeign)("a server configured for this suite", () => {
  let server: Server;
  let handler: EventHandler;
  beforeAll(async () => {
    handler = await startEventHandler();
    server = await startServer({
      hubs: {
        listed: { allowedOrigins: ["https://app.example.com", "http://localhost:3000"] },
        none: { allowedOrigins: ["https://app.example.com"], anonymousConnectPolicy: "allow" },
        "*": { eventHandlers: [handler.settings()] },
      },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
  });

  test("H-54 a page of a foreign origin is refused, with token, cookies or nothing", async () => {
    const status = async (hub: string, origin: string | null, token?: null): Promise<number> => {
      const headers = origin === null ? [] : ([["Origin", origin]] as const);
      return handshakeStatus(server, { hub, token, headers: [...headers, ["Cookie", "session=1"]] });
    };
    for (const origin of ["https://app.example.com", "HTTPS://App.Example.com", "http://localhost:3000", null])
      expect([origin, await status("listed", origin)]).toEqual([origin, 101]);
    for (const origin of [
      "https://evil.example",
      "http://app.example.com",
      "https://app.example.com:8443",
      "https://app.example.com.evil.example",
      "https://evil.example/https://app.example.com",
      "https://xapp.example.com",
      "null",
      "*",
      "",
    ]) {
      expect([origin, await status("listed", origin)]).toEqual([origin, 403]);
      expect([origin, await status("LISTED", origin)]).toEqual([origin, 403]);
      expect([origin, await status("none", origin, null)]).toEqual([origin, 403]);
    }
    expect(await status("none", "https://app.example.com", null)).toBe(101);
    expect(await status("listed", "https://app.example.com", null)).toBe(401);
    expect(await status(freshName("hub"), "https://evil.example")).toBe(101); // no list: any page, as in Azure
  });

  test("H-57 a real webhook is signed with both keys for its connection", async () => {
    const hub = freshName("hub");
    const [one, two] = [await connectJson(server, { hub, roles: allRoles }), await connectJson(server, { hub })];
    for (const client of [one, two]) {
      for (const event of ["connect", "connected"]) {
        const request = await handler.hub(hub).next(event);
        const id = request.header("ce-connectionId") ?? "";
        expect([one.connectionId, two.connectionId]).toContain(id);
        expect(request.header("ce-signature")).toBe(eventSignature(id, [server.primaryKey, server.secondaryKey]));
        expect(request.header("ce-signature")).not.toContain(eventSignature(id, ["another key"]));
      }
      expect(await client.ask({ type: "event", event: "e", dataType: "text", data: "x" })).toEqual({ success: true });
      const signature = (await handler.hub(hub).next("e")).header("ce-signature");
      expect(signature).toBe(eventSignature(client.connectionId, [server.primaryKey, server.secondaryKey]));
    }
  });
});
