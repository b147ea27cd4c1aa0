import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import {
  type ChatExample,
  nextAck,
  nextSaid,
  say,
  startChatExample,
  tunnelConfiguration,
} from "../../support/chat-example.ts";
import { startTidewire } from "../../support/command-line.ts";
import { successAck } from "../../support/events.ts";
import { freshName } from "../../support/names.ts";
import { type Server, startServer } from "../../support/server.ts";
import type { Configuration } from "../../support/server-process.ts";
import { listening } from "../../support/trace.ts";

let server: Server;
let chat: ChatExample;
beforeAll(async () => {
  const { hubs } = parse(readFileSync(tunnelConfiguration, "utf8")) as Configuration;
  server = await startServer({ hubs, properties: { liveTraceConfiguration: { enabled: "true" } } });
  chat = await startChatExample({ WebPubSubConnectionString: server.connectionString });
});
afterAll(async () => {
  await chat.stop();
  await server.stop();
});

test("T-12 M-46 the chat example works through tidewire tunnel, and tidewire trace shows connection, message and webhook", async () => {
  const env = { WebPubSubConnectionString: server.connectionString };
  const tunnel = startTidewire(["tunnel", "--hub", "chat", "--upstream", chat.url], { env });
  await tunnel.written(/^Connected to .*$/m);
  const trace = startTidewire(["trace"], { env });
  await listening(trace, server, freshName("warm"));

  const [ann, bob] = [await chat.enter(server, "ann"), await chat.enter(server, "bob")];
  const text = "a text for nobody else";
  say(ann, text);
  expect(await nextAck(ann)).toMatchObject(successAck);
  const line = { kind: "message", from: "ann", text };
  expect(await nextSaid(bob)).toEqual(line);

  const shown = (event: string, message: string, context: readonly string[]) => {
    const inAnyOrder = ["hub=chat", ...context].map((part) => `(?=.* ${part}(?: |$))`).join("");
    return trace.written(
      new RegExp(`^\\S+Z {2}Information {2}${event} {2}(?:\\+[\\d.]+ ms {2})?${message} {2}${inAnyOrder}.*$`, "m"),
    );
  };
  const byAnn = ["userId=ann", `connectionId=${ann.connectionId}`];
  await shown("ConnectionStarted", "Connection started", byAnn);
  const size = `json, ${JSON.stringify(line).length} characters`;
  await shown(
    "MessagePublished",
    `A message of REST to the whole hub was handed to 2 connections \\(${size}\\)\\.`,
    [],
  );
  const toTunnel = "url=tunnel:///eventhandler";
  await shown("EventHandlerInvoked", "The message event of hub chat: .+", [...byAnn, toTunnel]);
  await tunnel.written(/^\S+ {2}POST {2}\/eventhandler {2}20\d {2}\d+ ms {2}message$/m);

  for (const command of [trace, tunnel]) {
    command.kill("SIGINT");
    const { exitCode, stdout, stderr } = await command.ended();
    expect(exitCode).toBe(0);
    for (const secret of [text, server.primaryKey, server.secondaryKey]) expect(stdout + stderr).not.toContain(secret);
  }
});
