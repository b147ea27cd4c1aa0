import { type ReadReply, readReply } from "../support/http-reply.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import type { FuzzTarget } from "./target.ts";

const latin1 = (text: string): Uint8Array => Buffer.from(text, "latin1");
const filling =
  (head: string, part: string, tail = "") =>
  (): Uint8Array =>
    latin1(head + part.repeat(Math.floor((2 ** 20 - head.length - tail.length) / part.length)) + tail);
const ok = "HTTP/1.1 200 OK\r\n";
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;

/** The reader of replies of event handlers (H-37). It must read an input the same however it arrives in pieces. */
export const httpReplyTarget: FuzzTarget = {
  name: "http-reply",
  corpusFolder: "http-reply",
  extension: "http",
  isText: true,
  kinds: ["kept", "closed", "partial", "invalid"],
  dictionary: [
    ...["\r\n", "\r", "\n", "\r\n\r\n", "\0", " ", "\t", ":", ";", ",", "\x7f", "\x80", "\xa0", "\xff"],
    ...["HTTP/1.1 200 OK\r\n", "HTTP/1.0", "HTTP/2", "100", "101", "204", "304", "999"],
    ...["Content-Length: 5\r\n", "Content-Length", "Transfer-Encoding: chunked\r\n", "chunked", "gzip"],
    ...["Connection: close\r\n", "close", "keep-alive", "\r\n folded", "X : y\r\n"],
    ...["0\r\n\r\n", "5\r\nhello\r\n", "5;a=b\r\n", "0", "5", "05", "+5", "0x5", "fffffffffffff", "9007199254740993"],
  ].map(latin1),
  generated: {
    "a header without end": filling(`${ok}X: `, "x"),
    "headers without end": filling(ok, "X: y\r\n"),
    "blanks around a value": filling(`${ok}X:`, " ", "y\r\n\r\n"),
    "interim replies without end": filling("", "HTTP/1.1 100 Continue\r\n\r\n"),
    "connection options": filling(`${ok}Connection: `, "a,", "\r\n\r\n"),
    "small chunks": filling(chunked, "1\r\nx\r\n", "0\r\n\r\n"),
    "small chunks with extensions": filling(chunked, `1;${"x".repeat(4000)}\r\nx\r\n`, "0\r\n\r\n"),
    "an extension without end": filling(`${chunked}5;`, "x"),
    "trailers without end": filling(`${chunked}0\r\n`, "X: y\r\n"),
    "a big body": filling(`${ok}Content-Length: 1000000\r\n\r\n`, "x"),
    "a body without length": filling(`${ok}\r\n`, "x"),
  },
  decode(bytes) {
    const whole = readReply(bytes);
    return {
      kind: whole.progress === "complete" ? (whole.isReusable ? "kept" : "closed") : whole.progress,
      problem: () => replyProblem(whole) ?? cutProblem(bytes, whole),
    };
  },
};

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const fieldValue = /^(?![\t ])[\t\x20-\x7e\x80-\xff]*(?<![\t ])$/;

function replyProblem({ head, progress, body, isReusable }: ReadReply): string | null {
  if (head === null) {
    return body.length > 0 || progress === "complete" || isReusable ? "something behind a head that never came" : null;
  }
  const { status, rawHeaders } = head;
  if (!(status >= 200 && status <= 999)) return `status ${status}`;
  const wrong = rawHeaders.find((text, index) => !(index % 2 === 0 ? token : fieldValue).test(text));
  return wrong === undefined ? null : `header ${JSON.stringify(wrong.slice(0, 200))}`;
}

/** Pieces of one byte and of any length; their lengths depend on the input alone. */
function cutProblem(bytes: Uint8Array, whole: ReadReply): string | null {
  const random = new SeededRandom(bytes.length);
  const lengths = Array.from({ length: 200 }, () => (random.next() < 0.5 ? 1 : Math.floor(random.between(1, 100))));
  const cut = readReply(bytes, lengths);
  return Bun.deepEquals(cut, whole) ? null : `in pieces it is ${Bun.inspect(cut).slice(0, 500)}`;
}
