import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { connectProtobuf, decodeMessage, type ProtobufClient } from "../support/protobuf/client.ts";
import { refusedRecovery } from "../support/reliable.ts";
import { anyServer, isForeign, type Server, startServer, type Target } from "../support/server.ts";
import { openWebSocket, type WebSocketClient } from "../support/web-socket.ts";

const reliableProtobuf = "protobuf.reliable.webpubsub.azure.v1";
const connect = (server: Target, hub: string): Promise<ProtobufClient> =>
  connectProtobuf(server, { hub, subprotocols: [reliableProtobuf] });

/** The socket of a recovery as it is after the 101; `place` names the hub. */
async function comeBack(server: Target, client: ProtobufClient, place: string): Promise<WebSocketClient> {
  const { connectionId: id, reconnectionToken: token } = client;
  const path = `${place}awps_connection_id=${id}&awps_reconnection_token=${token}`;
  return openWebSocket(server.endpoint, { path, subprotocols: [reliableProtobuf], ca: server.ca });
}

describe("any server", () => {
  let server: Target;
  beforeAll(async () => {
    server = await anyServer();
  });
  afterAll(async () => await server.stop());

  test("C-90 C-75 a recovery works on the /client/?hub= form, the hub in any letter case", async () => {
    const hub = freshName("hub");
    const client = await connect(server, hub);
    for (const place of [`/client/?hub=${hub}&`, `/client?hub=${hub.toUpperCase()}&`]) {
      const socket = await comeBack(server, client, place);
      expect(socket.subprotocol).toBe(reliableProtobuf);
      expect(decodeMessage(await socket.nextBinary())).toMatchObject({
        case: "systemMessage",
        value: { message: { case: "connectedMessage", value: { connectionId: client.connectionId } } },
      });
    }
    const elsewhere = await comeBack(server, client, `/client/?hub=${freshName("hub")}&`);
    expect(await elsewhere.closed()).toEqual(refusedRecovery);
  });
});

describe.skipIf(isForeign)("a server that waits for its clients one second", () => {
  let server: Server;
  let handler: EventHandler;
  beforeAll(async () => {
    handler = await startEventHandler();
    server = await startServer({
      limits: { reliable: { recoverySeconds: 1 } },
      hubs: { "*": { eventHandlers: [handler.settings({ systemEvents: ["disconnected"] })] } },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
  });

  test("C-90 C-77 a client that comes back after the recovery time is upgraded as offered and closed 1008", async () => {
    const hub = freshName("hub");
    const client = await connect(server, hub);
    client.socket.abort();
    const told = await handler.hub(hub).next("disconnected");
    expect(told.header("ce-connectionId")).toBe(client.connectionId);
    const socket = await comeBack(server, client, `/client/hubs/${hub}?`);
    expect(socket.subprotocol).toBe(reliableProtobuf);
    expect(await socket.closed()).toEqual(refusedRecovery);
    expect((await hubApi(server, hub)("HEAD", `/connections/${client.connectionId}`)).status).toBe(404);
  });
});
