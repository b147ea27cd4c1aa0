import type { WireRequest } from "../target.ts";

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const path = /^[!-~]+$/;
const ascii = /^[\t\x20-\x7e]*$/;
/** Beyond ASCII as Latin-1 characters. */
const latin1 = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * A request as it goes over the wire, in one piece: text as UTF-8, or bytes. Null for one that cannot be sent: a line break or
 * another control character in it would be a request of somebody else's making, and a text body takes ASCII headers only.
 */
export function requestText(wire: WireRequest, host: string): string | Uint8Array | null {
  const { method, headers, body, bodyBytes } = wire;
  const value = typeof body === "string" ? ascii : latin1;
  if (!path.test(wire.path)) return null;
  let head = `${method} ${wire.path} HTTP/1.1\r\nHost: ${host}\r\n`;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? "";
    const text = headers[index + 1] ?? "";
    if (!token.test(name) || !value.test(text)) return null;
    head += `${name}: ${text}\r\n`;
  }
  if (body !== null) head += `Content-Length: ${bodyBytes}\r\n`;
  head += "Connection: keep-alive\r\n\r\n";
  if (typeof body === "string") return head + body;
  const bytes = Buffer.allocUnsafe(head.length + (body?.length ?? 0));
  bytes.write(head, "latin1");
  if (body !== null) bytes.set(body, head.length);
  return bytes;
}
