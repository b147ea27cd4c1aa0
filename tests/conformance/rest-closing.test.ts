import { afterAll, beforeAll, expect, test } from "bun:test";
import { connectJson, connectSimple, type JsonClient } from "../support/clients.ts";
import { hubApi } from "../support/hub-api.ts";
import { freshName } from "../support/names.ts";
import { expectAbsent, expectEmpty } from "../support/rest-answers.ts";
import { anyServer, type Target } from "../support/server.ts";

let server: Target;
beforeAll(async () => {
  server = await anyServer();
});
afterAll(async () => await server.stop());

const words = "Application server closed the connection.";

/** The client is told `message` and then closed with 1000 and no reason. */
async function expectClosed(client: JsonClient, message = words): Promise<void> {
  expect(await client.next()).toEqual({ type: "system", event: "disconnected", message });
  expect(await client.socket.closed()).toEqual({ code: 1000, reason: "" });
}

test("R-81 a closed JSON client is told the reason and then closed with 1000", async () => {
  const hub = freshName("hub");
  const api = hubApi(server, hub);
  const client = await connectJson(server, { hub, userId: "u", groups: ["g"] });
  expectEmpty(await api("POST", "/:send", { body: "before" }), 202);
  expectEmpty(await api("DELETE", `/connections/${client.connectionId}?reason=r`), 204);
  expectAbsent(await api("HEAD", `/connections/${client.connectionId}`), "Warning.Connection.NotExisted");
  expectAbsent(await api("HEAD", "/groups/g"), "Warning.Group.NotExisted");
  expectAbsent(await api("HEAD", "/users/u"), "Warning.User.NotExisted");
  expect(await client.next()).toMatchObject({ data: "before" });
  await expectClosed(client, `${words} Reason: r`);
});

test("R-81 a raw client gets the close frame alone, the reason in it (client-protocols 11)", async () => {
  const hub = freshName("hub");
  const { socket } = await connectSimple(server, { hub });
  expectEmpty(await hubApi(server, hub)("POST", "/:closeConnections?reason=r"), 204);
  expect(await socket.closed()).toEqual({ code: 1000, reason: "r" });
});

test.each(["", "?reason="])("R-82 without a reason (%p) the message is exactly the sentence", async (query) => {
  const hub = freshName("hub");
  const client = await connectJson(server, { hub });
  expectEmpty(await hubApi(server, hub)("DELETE", `/connections/${client.connectionId}${query}`), 204);
  await expectClosed(client);
});

test("R-83 a long reason arrives complete in the message, and not in the close frame", async () => {
  const hub = freshName("hub");
  const client = await connectJson(server, { hub });
  const reason = `${'é𝄞\n"'.repeat(50)}`.padEnd(250, "ü");
  const path = `/connections/${client.connectionId}?reason=${encodeURIComponent(reason)}`;
  expectEmpty(await hubApi(server, hub)("DELETE", path), 204);
  await expectClosed(client, `${words} Reason: ${reason}`);
});

test("R-84 closing an unknown connection answers 204, and closes nobody of another hub", async () => {
  const client = await connectJson(server, { hub: freshName("hub") });
  const api = hubApi(server, freshName("hub"));
  expectEmpty(await api("DELETE", "/connections/missing?reason=r"), 204);
  expectEmpty(await api("DELETE", `/connections/${client.connectionId}`), 204);
  await client.nothingArrived();
});

test.each([
  ["the hub", "/:closeConnections"],
  ["a group", "/groups/g/:closeConnections"],
  ["a user", "/users/u/:closeConnections"],
])("R-85 closing %s spares who is excluded and who is outside", async (_scope, path) => {
  const hub = freshName("hub");
  const [first, second, spared] = [
    await connectJson(server, { hub, userId: "u", groups: ["g"] }),
    await connectJson(server, { hub, userId: "u", groups: ["g"] }),
    await connectJson(server, { hub, userId: "u", groups: ["g"] }),
  ];
  const otherHub = await connectJson(server, { hub: freshName("hub"), userId: "u", groups: ["g"] });
  const otherCase = await connectJson(server, { hub, userId: "U", groups: ["G"] });
  const query = `?excluded=${spared.connectionId}&excluded=${otherCase.connectionId}&excluded=${first.connectionId},${second.connectionId}&reason=bye`;
  const excluded = path.startsWith("/:") ? query : query.replace(`&excluded=${otherCase.connectionId}`, "");
  expectEmpty(await hubApi(server, hub)("POST", `${path}${excluded}`), 204);
  for (const client of [first, second]) await expectClosed(client, `${words} Reason: bye`);
  for (const client of [spared, otherHub, otherCase]) await client.nothingArrived();
});

test("R-87 closing nobody answers 204", async () => {
  const hub = freshName("hub");
  const api = hubApi(server, hub);
  const client = await connectJson(server, { hub });
  for (const path of ["/groups/none/:closeConnections", "/users/nobody/:closeConnections"]) {
    expectEmpty(await api("POST", path), 204);
  }
  expectEmpty(await hubApi(server, freshName("hub"))("POST", "/:closeConnections"), 204);
  await client.nothingArrived();
});
