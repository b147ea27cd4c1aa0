import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { NodeProgram } from "../../support/node-program.ts";
import { type Server, startServer } from "../../support/server.ts";

let server: Server;
beforeAll(async () => {
  server = await startServer({ service: { listen: [{ url: "http://localhost:0" }, { url: "https://localhost:0" }] } });
});
afterAll(async () => await server.stop());

const startDeadlineMs = 60_000;

/** The environment a reader of the start output sets: the printed connection string, and the export line for https. */
function printedEnvironment(scheme: string): Record<string, string> {
  const [connectionString = ""] = new RegExp(`^Endpoint=${scheme}:.*$`, "m").exec(server.output()) ?? [];
  const [, ca = ""] = /^export NODE_EXTRA_CA_CERTS=(.+)$/m.exec(server.output()) ?? [];
  return { WebPubSubConnectionString: connectionString, ...(scheme === "https" ? { NODE_EXTRA_CA_CERTS: ca } : {}) };
}

describe("tutorial: publish and subscribe", () => {
  test.each(["http", "https"])("M-2 two subscribers get what a publisher sends, over %s", async (scheme) => {
    const env = printedEnvironment(scheme);
    const subscribers = [1, 2].map(() => new NodeProgram(new URL("./subscriber.process.ts", import.meta.url), { env }));
    const next = (subscriber: NodeProgram) => subscriber.lines.take({ what: "line", withinMs: startDeadlineMs });
    try {
      for (const subscriber of subscribers) expect(await next(subscriber)).toBe("connected");
      for (const text of ["Hello World", "grüß 🌍"]) {
        const publisher = new NodeProgram(new URL("./publisher.process.ts", import.meta.url), { args: [text], env });
        await publisher.finished();
        for (const subscriber of subscribers) expect(await next(subscriber)).toBe(`received ${text}`);
      }
    } finally {
      for (const subscriber of subscribers) await subscriber.terminate();
    }
  });
});
