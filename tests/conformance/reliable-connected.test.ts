import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectJson } from "../support/clients.ts";
import { freshName } from "../support/names.ts";
import { connectReliable, numbered, recover, reliableJson, tryToRecover } from "../support/reliable.ts";
import { anyServer, type Target } from "../support/server.ts";
import { clientToken } from "../support/tokens.ts";
import { openWebSocket } from "../support/web-socket.ts";

describe("any server", () => {
  let server: Target;
  beforeAll(async () => {
    server = await anyServer();
  });
  afterAll(async () => await server.stop());

  test("C-70 connected has a URL-safe reconnection token; a plain client gets none", async () => {
    const hub = freshName("hub");
    const client = await connectReliable(server, { hub, userId: "u" });
    expect(client.socket.subprotocol).toBe(reliableJson);
    expect(client.connected).toEqual({
      type: "system",
      event: "connected",
      userId: "u",
      connectionId: client.connectionId,
      reconnectionToken: expect.stringMatching(/^[A-Za-z0-9._~-]+$/) as unknown,
    });
    expect((await connectJson(server, { hub })).connected).not.toHaveProperty("reconnectionToken");
  });

  test("C-75 a recovery needs no access token, and an expired or wrong one does not matter", async () => {
    const hub = freshName("hub");
    const client = await connectReliable(server, { hub, roles: ["webpubsub.joinLeaveGroup"] });
    const expired = clientToken(server, { hub, claims: { iat: 1_600_000_000, exp: 1_600_003_600 } });
    for (const token of [null, expired, "nonsense"]) {
      const again = await recover(server, client, { token });
      expect(again.connectionId).toBe(client.connectionId);
      await again.nothingArrived();
      again.send({ type: "sequenceAck", sequenceId: 1_000_000 });
      await again.ask({ type: "joinGroup", group: "g" });
    }
  });

  test("C-75 a recovery works on the /client/?hub= form, the hub in any letter case", async () => {
    const hub = freshName("hub");
    const client = await connectReliable(server, { hub });
    const query = new URLSearchParams({
      hub: hub.toUpperCase(),
      awps_connection_id: client.connectionId,
      awps_reconnection_token: client.reconnectionToken,
    });
    const path = `/client/?${query.toString()}`;
    const socket = await openWebSocket(server.endpoint, { path, subprotocols: [reliableJson], ca: server.ca });
    expect(await socket.nextJson()).toMatchObject({ event: "connected", connectionId: client.connectionId });
  });

  test("C-76 connected with the same connection id and a token comes before what is replayed", async () => {
    const hub = freshName("hub");
    const client = await connectReliable(server, { hub, userId: "u" });
    await server.rest({ method: "POST", path: `/api/hubs/${hub}/:send`, body: "a" });
    client.socket.abort();
    const again = await recover(server, client);
    expect(again.connected).toMatchObject({ userId: "u", connectionId: client.connectionId });
    expect(await again.next()).toEqual(numbered(1, "a"));
    const third = await recover(server, again);
    expect(third.connectionId).toBe(client.connectionId);
    expect(await third.next()).toEqual(numbered(1, "a"));
  });

  test("C-76 the original sub-protocol is spoken whatever is offered, and echoed as it is offered", async () => {
    const hub = freshName("hub");
    const client = await connectReliable(server, { hub });
    for (const [subprotocols, echoed] of [
      [["json.webpubsub.azure.v1", reliableJson], reliableJson],
      [[reliableJson.toUpperCase()], reliableJson.toUpperCase()],
      [undefined, null],
    ] as const) {
      const socket = await tryToRecover(server, client, { subprotocols });
      expect(socket.subprotocol).toBe(echoed);
      expect(await socket.nextJson()).toMatchObject({ event: "connected", connectionId: client.connectionId });
    }
  });
});
