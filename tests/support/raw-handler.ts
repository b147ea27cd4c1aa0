import { createServer, type Socket } from "node:net";
import { type Header, readHead } from "./http-response.ts";
import { Inbox } from "./inbox.ts";

/** A request as it came over the wire, nothing interpreted by an HTTP library. */
export interface WireRequest {
  readonly method: string;
  /** Request target: path and query. */
  readonly url: string;
  /** One per line, as spelled; bytes beyond ASCII as Latin-1 characters. */
  readonly headers: readonly Header[];
  /** As many bytes as `Content-Length` says. */
  readonly body: Buffer;
}

/**
 * The whole response as it goes over the wire, text as Latin-1; null: the connection is reset instead; a function: it
 * writes to the connection itself.
 */
export type WireScript = (request: WireRequest) => string | Uint8Array | null | ((socket: Socket) => void);

/** An event handler without an HTTP library, for what such a library hides or does not let through. */
export interface RawHandler {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Events; abuse-protection requests are answered with `*` and not kept. */
  readonly events: Inbox<WireRequest>;
  /** Answers events from now on; default: an empty 200. */
  answer(script: WireScript): void;
  stop(): Promise<void>;
}

const validated = "HTTP/1.1 200 OK\r\nWebHook-Allowed-Origin: *\r\nContent-Length: 0\r\n\r\n";
const emptyOk = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/** A complete response. */
export function wireResponse(status: number, headers: readonly Header[], body = ""): string {
  const lines = [...headers, ["Content-Length", String(Buffer.byteLength(body, "latin1"))]];
  return `HTTP/1.1 ${status} Status\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
}

/** Starts a raw handler on a loopback port, a free one unless given. */
export async function startRawHandler(port = 0): Promise<RawHandler> {
  const events = new Inbox<WireRequest>();
  const sockets = new Set<Socket>();
  let script: WireScript = () => emptyOk;
  const answer = (request: WireRequest, socket: Socket): void => {
    if (request.method !== "POST") {
      socket.write(validated);
      return;
    }
    events.push(request);
    const response = script(request);
    if (response === null) socket.resetAndDestroy();
    else if (typeof response === "function") response(socket);
    else if (typeof response === "string") socket.write(response, "latin1");
    else socket.write(response);
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    let bytes = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (let read = readRequest(bytes); read !== null; read = readRequest(bytes)) {
        bytes = bytes.subarray(read.length);
        answer(read.request, socket);
      }
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the raw handler has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    events,
    answer: (next) => {
      script = next;
    },
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** The first request in `bytes`; null while it is incomplete. */
function readRequest(bytes: Buffer): { readonly request: WireRequest; readonly length: number } | null {
  const lineEnd = bytes.indexOf("\r\n");
  if (lineEnd === -1) return null;
  const [method = "", url = ""] = bytes.subarray(0, lineEnd).toString("latin1").split(" ");
  // The head reader wants a status line; the header lines of requests and responses are the same.
  const head = readHead(Buffer.concat([Buffer.from("HTTP/1.1 200 OK"), bytes.subarray(lineEnd)]));
  if (head === null) return null;
  const start = lineEnd + head.length - "HTTP/1.1 200 OK".length;
  const length = Number(head.headers.find(([name]) => name.toLowerCase() === "content-length")?.[1] ?? 0);
  if (bytes.length < start + length) return null;
  const body = Buffer.from(bytes.subarray(start, start + length));
  return { request: { method, url, headers: head.headers, body }, length: start + length };
}
