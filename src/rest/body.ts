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
 * Reads a body as text; invalid UTF-8 becomes U+FFFD. The HTTP layer guarantees that a body of known length has that length.
 */
export async function readText(request: Request, length: BodyLength, maxBytes: number): Promise<string | Problem> {
  if (length === "known") return received(request.text());
  const bytes = await readBytes(request, length, maxBytes);
  return bytes instanceof Problem ? bytes : new TextDecoder().decode(bytes);
}

/** Reads a body as bytes, at most `maxBytes`; a longer chunked body is given up in the middle. */
export async function readBytes(request: Request, length: BodyLength, maxBytes: number): Promise<Uint8Array | Problem> {
  if (length === "known") return received(request.bytes());
  if (request.body === null) return new Uint8Array();
  return received(readLimited(request.body, maxBytes));
}

async function readLimited(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array | Problem> {
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
async function received<Body>(body: Promise<Body>): Promise<Body | Problem> {
  try {
    return await body;
  } catch {
    return badRequest("The request body could not be read.");
  }
}

function invalidLength(): Problem {
  return badRequest("Invalid Content-Length header.");
}
