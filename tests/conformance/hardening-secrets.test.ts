import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type ClientOptions, clientPath, connectJson, connectSimple } from "../support/clients.ts";
import { type EventHandler, type ReceivedRequest, startEventHandler } from "../support/event-handler.ts";
import { eventSignature } from "../support/events.ts";
import type { HttpResponse } from "../support/http-response.ts";
import { adminRequest, adminSettings } from "../support/metrics.ts";
import { freshName } from "../support/names.ts";
import { allRoles } from "../support/roles.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";
import { clientToken, nowSeconds, restToken } from "../support/tokens.ts";
import { handshake } from "../support/web-socket.ts";

describe.skipIf(isForeign)("after a session with good and bad tokens", () => {
  let server: Server;
  let handler: EventHandler;
  beforeAll(async () => {
    handler = await startEventHandler();
    server = await startServer({
      service: adminSettings,
      logging: { level: "trace", resourceLogs: "stdout" },
      hubs: { "*": { eventHandlers: [handler.settings()] } },
      upstream: { retryDelaysSeconds: [] },
      properties: {
        resourceLogConfiguration: {
          categories: ["ConnectivityLogs", "MessagingLogs", "HttpRequestLogs"].map((name) => ({ name })),
        },
      },
    });
  });
  afterAll(async () => {
    if (!server.process.hasExited) await server.stop();
    await handler.stop();
  });

  test("H-55 neither tokens nor keys nor signatures are in any output", async () => {
    const hub = freshName("hub");
    const secrets = new Set([server.primaryKey, server.secondaryKey]);
    const remember = (token: string): string => {
      secrets.add(token);
      const signature = token.split(".").at(-1) ?? "";
      if (signature.length > 20) secrets.add(signature);
      return token;
    };
    const answers: HttpResponse[] = [];

    // Clients, let in and refused, with their token at every place a token can be.
    const bad: readonly Partial<ClientOptions>[] = [
      { signing: { key: "not the key" } },
      { claims: { exp: nowSeconds() - 3600 } },
      { claims: { aud: "https://elsewhere.example/client/hubs/x" } },
      { claims: { aud: `${server.endpoint}/client/hubs/${hub}?access_token=x` } },
      { groups: " " },
      { query: { webpubsub_mode: "nope" } },
    ];
    for (const options of bad) {
      const token = remember(clientToken(server, { hub, ...options }));
      answers.push(await handshake(server.endpoint, { path: clientPath(server, { hub, ...options, token }) }));
      const path = `/client/hubs/${hub}?webpubsub_mode=nope`;
      answers.push(await handshake(server.endpoint, { path, headers: [["Authorization", `Bearer ${token}`]] }));
      const referer = `https://app.example/?access_token=${token}`;
      answers.push(await handshake(server.endpoint, { path, headers: [["Referer", referer]] }));
      answers.push(await handshake(server.endpoint, { path: `/client/hubs/bad-hub?access_token=${token}` }));
    }
    const token = remember(clientToken(server, { hub, userId: "u", roles: allRoles, groups: ["g"] }));
    const client = await connectJson(server, {
      hub,
      token,
      query: { other: "kept", ACCESS_TOKEN: token },
      headers: [["Referer", `https://app.example/?access_token=${token}`]],
    });
    const byHeader = await connectSimple(server, {
      hub,
      token: null,
      userId: "u",
      headers: [["Authorization", `Bearer ${token}`]],
    });
    await client.ask({ type: "event", event: "e", dataType: "text", data: "x" });
    handler.hub(hub).answer("fails", { status: 500, body: "no" });
    await client.ask({ type: "event", event: "fails", dataType: "text", data: "x" });
    handler.hub(hub).answer("connect", { status: 403 });
    answers.push(await handshake(server.endpoint, { path: clientPath(server, { hub, token }) }));

    // REST, answered and refused.
    const url = `${server.endpoint}/api/hubs/${hub}/:send`;
    for (const bearer of [
      restToken(server, url),
      restToken(server, url, { signing: { key: "not the key" } }),
      restToken(server, "https://elsewhere.example/api"),
      restToken(server, `${url}?access_token=${token}`),
      restToken(server, url, { claims: { exp: undefined } }),
    ]) {
      const path = `/api/hubs/${hub}/:send`;
      answers.push(await server.rest({ method: "POST", path, body: "x", token: remember(bearer) }));
      answers.push(await server.rest({ path: `${path}?access_token=${bearer}`, token: null }));
      answers.push(await server.rest({ path: `/api/hubs/${hub}/x/${bearer}`, token: bearer }));
      answers.push(await server.rest({ method: "POST", path, body: "x", token: null, headers: { Cookie: bearer } }));
    }
    const minted = await server.rest({ method: "POST", path: `/api/hubs/${hub}/:generateToken` });
    remember((minted.json as { token: string }).token);

    // A message and close reason with a token in it is the application's own; what the service adds is looked at.
    byHeader.socket.send(new Uint8Array([1]));
    byHeader.socket.sendFrame({ opcode: 3 });
    await byHeader.socket.ended;
    client.send("not JSON");
    await client.socket.ended;
    const events: ReceivedRequest[] = [];
    while (events.filter(({ event }) => event === "disconnected").length < 2)
      events.push(await handler.hub(hub).next());
    const metrics = await adminRequest(server, "/metrics");
    const unauthorized = await adminRequest(server, "/metrics", "a-wrong-administration-token");
    await server.stop();

    const connectionIds = events.map((event) => event.header("ce-connectionId") ?? "");
    for (const id of connectionIds)
      for (const key of [server.primaryKey, server.secondaryKey]) secrets.add(eventSignature(id, [key]));
    const requests = events.map((event) => ({
      url: event.url,
      headers: event.headers.filter(([name]) => name.toLowerCase() !== "ce-signature"), // its one place
      text: event.text,
    }));
    const outputs = {
      // The connection strings that the start prints are for the operator.
      log: server.output().replaceAll(/^Endpoint=.*$/gm, ""),
      answers: JSON.stringify(answers.map(({ headers, text }) => ({ headers, text }))),
      requests: JSON.stringify(requests),
      metrics: metrics.text + unauthorized.text,
    };
    expect(outputs.log.split("\n").length).toBeGreaterThan(20);
    expect(outputs.requests).toContain("kept");
    expect(secrets.size).toBeGreaterThan(25);
    for (const [where, text] of Object.entries(outputs)) {
      const found = [...secrets].filter((secret) => text.includes(secret));
      expect({ where, found }).toEqual({ where, found: [] });
    }
    expect(outputs.log).not.toContain(adminSettings.adminListen.token);
    expect(outputs.log + outputs.answers + outputs.requests).not.toMatch(/eyJ[\w-]{20,}\.eyJ[\w-]+\.[\w-]{20,}/);
  });
});
