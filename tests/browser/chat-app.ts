import { NodeProgram } from "../support/node-program.ts";
import { type Server, startServer } from "../support/server.ts";

const startDeadlineMs = 60_000;

/** examples/chat and a tidewire that tells it what happens, both on free ports. */
export interface ChatApp {
  /** `http://localhost:<port>`, the page. */
  readonly url: string;
  readonly server: Server;
  stop(): Promise<void>;
}

/** Starts both as the example's README says; the application uses the printed connection string of that scheme. */
export async function startChat(scheme: "http" | "https"): Promise<ChatApp> {
  const server = await startServer({
    service: { listen: [{ url: "http://localhost:0" }, { url: "https://localhost:0" }] },
  });
  const [connectionString = ""] = new RegExp(`^Endpoint=${scheme}:.*$`, "m").exec(server.output()) ?? [];
  const [, authority = ""] = /^export NODE_EXTRA_CA_CERTS=(.+)$/m.exec(server.output()) ?? [];
  const program = new NodeProgram(new URL("../../examples/chat/server.mjs", import.meta.url), {
    env: { WebPubSubConnectionString: connectionString, NODE_EXTRA_CA_CERTS: authority, PORT: "0" },
  });
  const line = await program.lines.take({ what: "address of the chat", withinMs: startDeadlineMs });
  const url = /http:\S+/.exec(line)?.[0] ?? "";
  // As in examples/chat/tidewire.yaml, where the port is known beforehand.
  const urlTemplate = `${url.replace("localhost", "127.0.0.1")}/eventhandler`;
  const systemEvents = ["connect", "connected", "disconnected"];
  await server.reconfigure({
    hubs: { chat: { eventHandlers: [{ urlTemplate, userEventPattern: "message", systemEvents }] } },
  });
  return {
    url,
    server,
    stop: async () => {
      await program.terminate();
      await server.stop();
    },
  };
}
