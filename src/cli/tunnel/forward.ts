import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import type { HeaderList, TunnelRequest } from "../../tunnel/messages.ts";

/** What the local application answered, or a 500 of ours where it did not. */
export interface Forwarded {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  /** Why there is no answer of the application; null when there is one. */
  readonly problem: string | null;
}

/** Sends requests on to one application. */
export interface Forwarder {
  /** Never rejects. */
  forward(request: TunnelRequest): Promise<Forwarded>;
  close(): void;
}

/** The service takes no more by default (specification: tunnel 12). */
const maxBodyBytes = 16_777_216;
/** These concern one connection, not the message. */
const hopByHop = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Creates a forwarder to an `http` or `https` URL: path and query of a request are appended to the URL's path, method,
 * headers and body go on as they came, and so does the answer, compressed or not. Redirects are the application's answer.
 * An application that cannot be reached is a 500 with the reason as text, which the service tries again (T-16).
 */
export function createForwarder(upstream: URL): Forwarder {
  const isSecure = upstream.protocol === "https:";
  const agent = isSecure ? new https.Agent({ keepAlive: true }) : new http.Agent({ keepAlive: true });
  const base = upstream.pathname.replace(/\/+$/, "");
  const send = (request: TunnelRequest): Promise<Forwarded> =>
    new Promise((resolve, reject) => {
      const { method, url, headers, body } = request;
      const { pathname, search } = new URL(url);
      const outgoing = (isSecure ? https : http).request({
        agent,
        host: upstream.hostname.replace(/^\[|\]$/g, ""),
        port: upstream.port === "" ? (isSecure ? 443 : 80) : Number(upstream.port),
        method,
        path: base + pathname + search,
        headers: ["Host", upstream.host, ...endToEnd(headers), "Content-Length", String(body.length)],
        setHost: false,
      });
      outgoing.on("error", reject);
      outgoing.on("response", (reply) => read(reply, resolve, reject));
      outgoing.on("upgrade", (_reply, socket) => {
        socket.destroy();
        reject(new Error("the application switched protocols"));
      });
      outgoing.end(body);
    });
  return {
    async forward(request) {
      try {
        return await send(request);
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        return { status: 500, headers: ["Content-Type", "text/plain"], body: Buffer.from(problem), problem };
      }
    },
    close: () => agent.destroy(),
  };
}

function read(reply: IncomingMessage, resolve: (answer: Forwarded) => void, reject: (error: Error) => void): void {
  const chunks: Uint8Array[] = [];
  let size = 0;
  reply.on("data", (chunk: Uint8Array) => {
    size += chunk.length;
    chunks.push(chunk);
    if (size <= maxBodyBytes) return;
    reject(new Error("the answer of the application is bigger than 16 MiB"));
    reply.destroy();
  });
  reply.on("error", reject);
  reply.on("end", () => {
    const headers = endToEnd(reply.rawHeaders);
    resolve({ status: reply.statusCode ?? 500, headers, body: Buffer.concat(chunks), problem: null });
  });
}

function endToEnd(headers: HeaderList): HeaderList {
  return headers.filter((_, at) => !hopByHop.has((headers[at - (at % 2)] ?? "").toLowerCase()));
}
