import { startChatExample } from "../support/chat-example.ts";
import { type Server, startServer } from "../support/server.ts";

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
  const chat = await startChatExample({
    WebPubSubConnectionString: connectionString,
    NODE_EXTRA_CA_CERTS: authority,
  });
  // As in examples/chat/tidewire.yaml, where the port is known beforehand.
  const urlTemplate = `${chat.url.replace("localhost", "127.0.0.1")}/eventhandler`;
  const systemEvents = ["connect", "connected", "disconnected"];
  await server.reconfigure({
    hubs: { chat: { eventHandlers: [{ urlTemplate, userEventPattern: "message", systemEvents }] } },
  });
  return {
    url: chat.url,
    server,
    stop: async () => {
      await chat.stop();
      await server.stop();
    },
  };
}
