import { fileURLToPath } from "node:url";
import { connectJson, type JsonClient, type JsonFrame } from "./clients.ts";
import { NodeProgram } from "./node-program.ts";
import type { Target } from "./server.ts";

const example = new URL("../../examples/chat/", import.meta.url);
const startDeadlineMs = 60_000;

/** The configuration with which tidewire reaches the example over a tunnel. */
export const tunnelConfiguration = fileURLToPath(new URL("tunnel.yaml", example));

/** The running application of examples/chat. */
export interface ChatExample {
  /** `http://localhost:<port>`, the page. */
  readonly url: string;
  /** Enters the chat as the page does: with the URL that `/negotiate` hands out. */
  enter(target: Target, name: string): Promise<JsonClient>;
  stop(): Promise<void>;
}

/** Starts the application, unmodified, on a free port; `env` has at least its connection string. */
export async function startChatExample(env: Readonly<Record<string, string>>): Promise<ChatExample> {
  const program = new NodeProgram(new URL("server.ts", example), { env: { PORT: "0", ...env } });
  const line = await program.lines.take({ what: "address of the chat", withinMs: startDeadlineMs });
  const url = /http:\S+/.exec(line)?.[0] ?? "";
  return {
    url,
    enter: async (target, name) => {
      const negotiated = await fetch(`${url}/negotiate?name=${encodeURIComponent(name)}`);
      const { url: clientUrl } = (await negotiated.json()) as { readonly url: string };
      const { pathname, searchParams } = new URL(clientUrl);
      return connectJson(target, { hub: pathname.split("/").at(-1) ?? "", token: searchParams.get("access_token") });
    },
    stop: () => program.terminate(),
  };
}

/** Says `text` as the page does. The application publishes it before it answers, so it comes back before its ack. */
export function say(client: JsonClient, text: string): void {
  client.send({ type: "event", event: "message", dataType: "text", data: text, ackId: 1 });
}

/** The next acknowledgement; whatever else arrives before it is passed over. */
export function nextAck(client: JsonClient): Promise<JsonFrame> {
  return nextWhere(client, ({ type }) => type === "ack");
}

/** The next line that somebody said; who joined and left is passed over. */
export async function nextSaid(client: JsonClient): Promise<unknown> {
  const isSaid = ({ data }: JsonFrame): boolean =>
    typeof data === "object" && data !== null && "kind" in data && data.kind === "message";
  return (await nextWhere(client, isSaid))["data"];
}

async function nextWhere(client: JsonClient, isWanted: (frame: JsonFrame) => boolean): Promise<JsonFrame> {
  for (;;) {
    const frame = await client.next();
    if (isWanted(frame)) return frame;
  }
}
