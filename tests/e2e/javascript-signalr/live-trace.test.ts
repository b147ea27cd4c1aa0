import { afterAll, beforeAll, expect, test } from "bun:test";
import { connectJson } from "../../support/clients.ts";
import { freshName } from "../../support/names.ts";
import { NodeAgent } from "../../support/node-agent.ts";
import { rejection } from "../../support/rejection.ts";
import { type Server, startServer } from "../../support/server.ts";
import { type TraceLine, traceToken } from "../../support/trace-viewer.ts";

let server: Server;
let node: NodeAgent;
beforeAll(async () => {
  server = await startServer({ properties: { liveTraceConfiguration: { enabled: "true" } } });
  node = new NodeAgent(new URL("./live-trace.process.ts", import.meta.url));
});
afterAll(async () => {
  await node.stop();
  await server.stop();
});

const event = async (member: string): Promise<unknown> => {
  const taken = await node.events.take({ what: member, where: (each) => member in each });
  return taken[member];
};

test("M-46 M-47 the SignalR client that the official trace views use connects, listens and asks", async () => {
  await node.call("start", `${server.endpoint}/livetrace`, traceToken(server));
  const hub = freshName("hub");
  const client = await connectJson(server, { hub });
  const line = (await event("line")) as TraceLine;
  expect(line).toMatchObject({
    logContext: { hub, connectionId: client.connectionId },
    values: ["Connection started"],
  });
  await node.call("ask", line.eventId);
  expect(await event("property")).toEqual({
    eventId: line.eventId,
    eventName: "ConnectionStarted",
    template: "{message}",
    logLevel: 2,
  });
  expect(await rejection(node.call("invoke", "noSuchMethod"))).toContain("There is no such method.");
  await node.call("stop");
  expect(await event("closed")).toBeNull();
});

test("M-48 the client cannot connect with a token for something else", async () => {
  const token = traceToken(server, { aud: `${server.endpoint}/api/hubs/chat` });
  expect(await rejection(node.call("start", `${server.endpoint}/livetrace`, token))).toContain(
    "WebSocket failed to connect",
  );
});
