// The least a server can do for an event: one HTTP request over a keep-alive connection of its own making, the answer's
// body in a frame back to the client. Nothing but the length of the answer is looked at.
import type { ServerWebSocket, Socket, SocketHandler } from "bun";
import { runBare } from "./bare.ts";

interface Exchange {
  client: ServerWebSocket<object> | null;
  answer: Buffer | null;
}

const handlerPort = Number(process.argv[2]);
const free: Socket<Exchange>[] = [];

const handlers: SocketHandler<Exchange> = {
  data(socket, chunk) {
    const { data: exchange } = socket;
    const answer = exchange.answer === null ? chunk : Buffer.concat([exchange.answer, chunk]);
    const body = bodyOf(answer);
    exchange.answer = body === null ? answer : null;
    if (body === null) return;
    const { client } = exchange;
    exchange.client = null;
    free.push(socket);
    client?.send(JSON.stringify({ type: "message", from: "server", dataType: "text", data: body }));
  },
};

/** The body once all of it is there. */
function bodyOf(answer: Buffer): string | null {
  const end = answer.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const length = Number(/content-length: (\d+)/i.exec(answer.toString("latin1", 0, end))?.[1]);
  return answer.length < end + 4 + length ? null : answer.toString("utf8", end + 4);
}

async function forward(client: ServerWebSocket<object>, data: string): Promise<void> {
  const exchange: Exchange = { client, answer: null };
  const kept = free.pop();
  const socket =
    kept ??
    (await Bun.connect<Exchange>({ hostname: "127.0.0.1", port: handlerPort, data: exchange, socket: handlers }));
  socket.data = exchange;
  socket.write(
    `POST / HTTP/1.1\r\nHost: 127.0.0.1:${handlerPort}\r\nContent-Type: text/plain\r\nContent-Length: ${data.length}\r\n\r\n${data}`,
  );
}

runBare<object>({
  data: () => ({}),
  message: (client, text) => {
    const { data } = JSON.parse(text) as { readonly data: string };
    void forward(client, data);
  },
});
