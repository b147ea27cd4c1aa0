import { BodyBytes } from "../../src/upstream/webhooks/http/body-bytes.ts";
import { ReplyParser } from "../../src/upstream/webhooks/http/reply-parser.ts";

/** What became of a reply. */
export interface ReadReply {
  readonly progress: "partial" | "complete" | "invalid";
  readonly problem: string;
  /** Null while the headers are not all there. */
  readonly head: { readonly status: number; readonly rawHeaders: readonly string[] } | null;
  /** As far as it came. */
  readonly body: Buffer;
  readonly isReusable: boolean;
}

/** Reads a reply cut into pieces of the lengths that `pieces` gives, the rest in one; `isEnded`: the peer closes after it. */
export function readReply(bytes: Uint8Array, pieces: Iterable<number> = [], isEnded = false): ReadReply {
  let head: ReadReply["head"] = null;
  const body = new BodyBytes();
  const parser = new ReplyParser({
    head(status, rawHeaders) {
      if (head !== null) throw new Error("a second head");
      head = { status, rawHeaders };
    },
    body(part) {
      if (head === null || part.length === 0) throw new Error("a body without head, or nothing of it");
      body.add(part);
    },
  });
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  for (const length of pieces) {
    if (at >= buffer.length) break;
    parser.read(buffer.subarray(at, at + length));
    at += length;
  }
  let progress = parser.read(buffer.subarray(Math.min(at, buffer.length)));
  if (isEnded) progress = parser.end();
  return { progress, problem: parser.problem, head, body: Buffer.from(body.all()), isReusable: parser.isReusable };
}
