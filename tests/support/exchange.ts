import { dial } from "./dial.ts";
import { inTime } from "./inbox.ts";
import type { Target } from "./server.ts";
import { restToken } from "./tokens.ts";

/** Request line and headers of a signed REST request, open for further header lines and a body written by hand. */
export function signedHead(target: Target, method: string, path: string): string {
  const { host } = new URL(target.endpoint);
  const token = restToken(target, `${target.endpoint}${path}`);
  return `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n`;
}

/** Writes these bytes on a connection of their own and returns, as Latin-1, all that comes until the server closes it. */
export async function exchange(target: Target, bytes: string | Uint8Array): Promise<string> {
  const socket = await dial(target.endpoint, { ca: target.ca });
  const chunks: Buffer[] = [];
  const ended = Promise.withResolvers<void>();
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.once("close", () => ended.resolve());
  try {
    socket.write(bytes);
    await inTime(ended.promise, "end of the connection");
    return Buffer.concat(chunks).toString("latin1");
  } finally {
    socket.destroy();
  }
}
