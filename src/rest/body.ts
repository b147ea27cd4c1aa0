import type { TextEncodingChoice } from "./content-type.ts";
import { badRequest, Problem } from "./errors.ts";

/** How long a body is, as its header fields say: known and within the limit, or told only by its end (chunked). */
export type BodyLength = "known" | "chunked";

/**
 * Checks the announced length before a byte is read: `Content-Length` up to the limit, or chunked; anything else is a 400.
 * @spec R-47 R-48
 */
export function checkBodyLength(headers: Headers, maxBytes: number): BodyLength | Problem {
  const length = headers.get("content-length");
  if (length === null) return headers.get("transfer-encoding") === null ? invalidLength() : "chunked";
  return /^[0-9]+$/.test(length) && Number(length) <= maxBytes ? "known" : invalidLength();
}

/**
 * Reads a body as text; what means nothing in its encoding becomes U+FFFD. The HTTP layer guarantees that a body of known
 * length has that length.
 */
export function readText(
  request: Request,
  length: BodyLength,
  { encoding, maxBytes }: { readonly encoding: TextEncodingChoice; readonly maxBytes: number },
): Promise<string | Problem> {
  if (length === "known" && encoding === "utf-8") return received(request.text());
  return decoded(readBytes(request, length, maxBytes), encoding === "utf-8" ? new TextDecoder() : encoding);
}

async function decoded(content: Promise<Uint8Array | Problem>, decoder: TextDecoder): Promise<string | Problem> {
  const bytes = await content;
  return bytes instanceof Problem ? bytes : decoder.decode(bytes);
}

/** Reads a body as bytes, at most `maxBytes`; a longer chunked body is given up in the middle. */
export function readBytes(request: Request, length: BodyLength, maxBytes: number): Promise<Uint8Array | Problem> {
  return received(length === "known" ? request.bytes() : readLimited(request.body, maxBytes));
}

async function readLimited(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<Uint8Array | Problem> {
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) return invalidLength();
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

/** A body fails to arrive when the caller gives up; there is nobody left to read the answer, and it is no bug of ours. */
function received<Content>(content: Promise<Content>): Promise<Content | Problem> {
  return content.catch(unreadable);
}

function unreadable(): Problem {
  return badRequest("The request body could not be read.");
}

function invalidLength(): Problem {
  return badRequest("Invalid Content-Length header.");
}
