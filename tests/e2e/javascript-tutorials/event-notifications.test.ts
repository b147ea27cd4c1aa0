import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { freshName } from "../../support/names.ts";
import { type Server, startServer } from "../../support/server.ts";
import { SdkClients } from "../javascript-web-pubsub-client/sdk-clients.ts";
import { type ExpressApp, startExpressApp } from "../javascript-web-pubsub-express/express-app.ts";

let server: Server;
let app: ExpressApp;
let sdk: SdkClients;
beforeAll(async () => {
  sdk = new SdkClients();
  app = await startExpressApp();
  const urlTemplate = `${app.url}/eventhandler`;
  const eventHandlers = [{ urlTemplate, userEventPattern: "*", systemEvents: ["connected", "disconnected"] }];
  server = await startServer({ hubs: { "*": { eventHandlers } } });
});
afterAll(async () => {
  await sdk.stop();
  await server.stop();
  await app.stop();
});

describe("tutorial: event notifications from clients", () => {
  test("the application hears of connections, receives custom events and answers them", async () => {
    const hub = freshName("events");
    const events = await app.handle(hub, { path: "/eventhandler" });
    const { client, connected } = await sdk.connect(server, { hub, userId: "alice" });
    const context = { connectionId: connected["connectionId"], userId: "alice" };
    expect((await events.next("connected")).context).toMatchObject(context);

    await events.answer("order-placed", [
      ["setState", "orders", 1],
      ["success", `{"accepted":true}`, "json"],
    ]);
    await client.sendEvent("order-placed", { item: "book", count: 2 }, "json");
    const order = { dataType: "json", data: { item: "book", count: 2 }, context };
    expect(await events.next("order-placed")).toMatchObject(order);
    expect(await client.nextMessage("server")).toMatchObject({ dataType: "json", data: { accepted: true } });

    await client.sendEvent("note", "only a note", "text", { fireAndForget: true });
    expect(await events.next("note")).toMatchObject({ data: "only a note", context: { states: { orders: 1 } } });

    await client.stop();
    expect((await events.next("disconnected")).context).toMatchObject(context);
  });

  test("the events of one client arrive in order, while another one is not held up", async () => {
    const hub = freshName("events");
    const events = await app.handle(hub, { path: "/eventhandler" });
    const { client: alice } = await sdk.connect(server, { hub, userId: "alice" });
    const { client: bob } = await sdk.connect(server, { hub, userId: "bob" });
    await events.answer("stuck", []); // never answered
    await alice.sendEvent("stuck", "x", "text", { fireAndForget: true });
    expect((await events.next("stuck")).context.userId).toBe("alice");
    for (const at of [0, 1, 2, 3, 4]) await bob.sendEvent("tick", at, "json");
    for (const at of [0, 1, 2, 3, 4]) expect(await events.next("tick")).toMatchObject({ data: at });
  });
});
