import { expect, test } from "bun:test";
import { type ReadReply, readReply } from "../../../../tests/support/http-reply.ts";

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

/** `kept 200 body`, `closed …`, `partial …` or what is wrong. */
function outcome({ progress, problem, head, body, isReusable }: ReadReply): string {
  if (progress === "invalid") return problem;
  const kind = progress === "partial" ? "partial" : isReusable ? "kept" : "closed";
  return `${kind} ${head?.status ?? "-"} ${body.toString("latin1")}`;
}

const ok = "HTTP/1.1 200 OK\r\n";
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;
const noCrLf = "a line does not end with CR LF";
const noHeader = "a header line is invalid";
const noReply = "it is not an HTTP/1 reply";
const noLength = "Content-Length is invalid or repeated";
const noCoding = "the transfer coding is unknown";
const ambiguous = "Transfer-Encoding stands beside Content-Length or in HTTP/1.0";
const noChunk = "the size of a chunk is invalid";
const noChunkEnd = "a chunk is longer than it says";

const replies: readonly (readonly [reply: string, expected: string])[] = [
  // Where the body ends.
  [`${ok}Content-Length: 5\r\n\r\nhello`, "kept 200 hello"],
  [`${ok}content-length:\t 5 \t\r\n\r\nhello`, "kept 200 hello"],
  [`${ok}Content-Length: 0\r\n\r\n`, "kept 200 "],
  [`${ok}Content-Length: 0005\r\n\r\nhello`, "kept 200 hello"],
  [`${ok}Content-Length: 5\r\n\r\nhell`, "partial 200 hell"],
  [`${ok}Content-Length: 5\r\n`, "partial - "],
  ["", "partial - "],
  ["HTT", "partial - "],
  ["HTTP/1.1 204 No Content\r\n\r\n", "kept 204 "],
  ["HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "kept 204 "],
  ["HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", "kept 304 "],
  [`${ok}\r\nhello`, "partial 200 hello"],
  [`${chunked}5\r\nhello\r\n6;a=b;c="d"\r\n world\r\n0\r\n\r\n`, "kept 200 hello world"],
  [`${chunked}5\r\nhello\r\n000\r\nDigest: x\r\nX:\r\n\r\n`, "kept 200 hello"],
  [`${ok}TRANSFER-ENCODING: Chunked\r\n\r\na\r\n0123456789\r\n0;x\r\n\r\n`, "kept 200 0123456789"],
  [`${chunked}5\r\nhello\r\n0\r\n`, "partial 200 hello"],
  // Whether the connection is kept.
  [`${ok}Content-Length: 2\r\nConnection: close\r\n\r\nok`, "closed 200 ok"],
  [`${ok}Content-Length: 2\r\nConnection: x,\tClose\r\nConnection: keep-alive\r\n\r\nok`, "closed 200 ok"],
  [`${ok}Content-Length: 2\r\nConnection: closed\r\n\r\nok`, "kept 200 ok"],
  ["HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "closed 200 ok"],
  ["HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: Keep-Alive\r\n\r\nok", "kept 200 ok"],
  ["HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive, close\r\n\r\nok", "closed 200 ok"],
  // Bytes that nobody asked for.
  [`${ok}Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`, "closed 200 ok"],
  [`${ok}Content-Length: 2\r\n\r\nok\r\n`, "closed 200 ok"],
  [`HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok`, "closed 204 "],
  [`${chunked}0\r\n\r\n0\r\n\r\n`, "closed 200 "],
  // Interim replies, whose headers say nothing about the final one.
  [`HTTP/1.1 100 Continue\r\n\r\n${ok}Content-Length: 2\r\n\r\nok`, "kept 200 ok"],
  [
    `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 9\r\nConnection: close\r\n\r\nHTTP/1.1 102 P\r\n\r\n${ok}Content-Length: 2\r\n\r\nok`,
    "kept 200 ok",
  ],
  ["HTTP/1.1 100 Continue\r\n\r\n", "partial - "],
  ["HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", "the reply switches protocols"],
  // Status lines.
  ["HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "kept 200 ok"],
  ["HTTP/1.1 999 \xe9\t!\r\nContent-Length: 2\r\n\r\nok", "kept 999 ok"],
  ["HTTP/1.1 200OK\r\n\r\n", noReply],
  ["HTTP/1.1 099 X\r\n\r\n", noReply],
  ["HTTP/1.1 20 X\r\n\r\n", noReply],
  ["HTTP/1.1  200 OK\r\n\r\n", noReply],
  ["HTTP/1.2 200 OK\r\n\r\n", noReply],
  ["HTTP/2 200\r\n\r\n", noReply],
  ["http/1.1 200 OK\r\n\r\n", noReply],
  ["HTTP/1.1 200 O\x00K\r\n\r\n", noReply],
  ["\r\nHTTP/1.1 200 OK\r\n\r\n", noReply],
  ["SSH-2.0-OpenSSH", noReply],
  [" ", noReply],
  ["\x15\x03\x01\x00\x02", noReply],
  // Lines and headers.
  ["HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", noCrLf],
  [`${ok}Content-Length: 0\n\r\n`, noCrLf],
  [`${ok}Content-Length: 0\r\n\n`, noCrLf],
  [`${ok}X: a\rContent-Length: 0\r\n\r\n`, noHeader],
  [`${ok}X: a\r\n b\r\n\r\n`, noHeader],
  [`${ok} X: a\r\n\r\n`, noHeader],
  [`${ok}X : a\r\n\r\n`, noHeader],
  [`${ok}: a\r\n\r\n`, noHeader],
  [`${ok}X\r\n\r\n`, noHeader],
  [`${ok}X\xe9: a\r\n\r\n`, noHeader],
  [`${ok}X: \x00\r\n\r\n`, noHeader],
  [`${ok}X: \x7f\r\n\r\n`, noHeader],
  [`${chunked}0\r\nX : y\r\n\r\n`, noHeader],
  [`${chunked}0\r\n\n`, noCrLf],
  // What two readers could read differently.
  [`${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`, noLength],
  [`${ok}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`, noLength],
  [`${ok}Content-Length: 5, 5\r\n\r\nhello`, noLength],
  [`${ok}Content-Length: +5\r\n\r\nhello`, noLength],
  [`${ok}Content-Length: -5\r\n\r\nhello`, noLength],
  [`${ok}Content-Length: 0x5\r\n\r\nhello`, noLength],
  [`${ok}Content-Length: \r\n\r\nhello`, noLength],
  [`${ok}Content-Length: 5\xa0\r\n\r\nhello`, noLength],
  [`${ok}Content-Length: 9999999999999999\r\n\r\nhello`, noLength],
  [`${ok}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n`, ambiguous],
  [`${ok}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n`, ambiguous],
  ["HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ambiguous],
  [`${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`, noCoding],
  [`${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`, noCoding],
  [`${ok}Transfer-Encoding: identity\r\n\r\n`, noCoding],
  [`${ok}Transfer-Encoding: chunked\xa0\r\n\r\n`, noCoding],
  [`${ok}Transfer-Encoding:\r\n\r\n`, noCoding],
  // Chunks.
  [`${chunked}\r\n\r\n`, noChunk],
  [`${chunked}g\r\n`, noChunk],
  [`${chunked}0x5\r\n`, noChunk],
  [`${chunked}-1\r\n`, noChunk],
  [`${chunked}5 \r\nhello\r\n`, noChunk],
  [`${chunked} 5\r\nhello\r\n`, noChunk],
  [`${chunked}5;\x00\r\nhello\r\n`, noChunk],
  [`${chunked}10000000000000000\r\n`, noChunk],
  [`${chunked}5\nhello\r\n`, noCrLf],
  [`${chunked}5\r\nhello!`, noChunkEnd],
  [`${chunked}5\r\nhello\n`, noChunkEnd],
  [`${chunked}5\r\nhello\r0`, noChunkEnd],
];

test.each(replies)("H-37 %j is read the same wherever it is cut", (reply, expected) => {
  const whole = bytes(reply);
  const read = readReply(whole);
  expect(outcome(read)).toBe(expected);
  expect(readReply(whole, Array(whole.length).fill(1))).toEqual(read);
  for (let cut = 1; cut < Math.min(whole.length, 200); cut++) expect(readReply(whole, [cut])).toEqual(read);
});

test("H-37 a reply without length ends with the connection, no other does", () => {
  const ended = (reply: string) => outcome(readReply(bytes(reply), [], true));
  expect(ended(`${ok}\r\nhello`)).toBe("closed 200 hello");
  expect(ended(`${ok}\r\n`)).toBe("closed 200 ");
  expect(ended("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhello")).toBe("closed 200 hello");
  expect(ended(`${ok}Content-Length: 5\r\n\r\nhell`)).toBe("partial 200 hell");
  expect(ended(`${chunked}5\r\nhello\r\n0\r\n`)).toBe("partial 200 hello");
  expect(ended(`${ok}Content-Length: 5\r\n`)).toBe("partial - ");
  expect(ended("")).toBe("partial - ");
});

test("H-37 headers are kept as they came, repeated ones apart, bytes as Latin-1 characters", () => {
  const lines = "set-cookie: a\r\nSET-Cookie:b\r\nX: \xa0\xc3\xa9\xa0 \r\nY:\t\t\r\nContent-Length: 0\r\n";
  expect(readReply(bytes(`${ok}${lines}\r\n`)).head?.rawHeaders).toEqual([
    ...["set-cookie", "a", "SET-Cookie", "b", "X", "\xa0\xc3\xa9\xa0", "Y", "", "Content-Length", "0"],
  ]);
});

test("H-37 headers, trailers and those of interim replies have 64 KiB together", () => {
  const tooBig = "the headers are bigger than 64 KiB";
  const limit = 65_536;
  const endings = `${ok}Content-Length: 0\r\nX: \r\n\r\n`;
  const withHeader = (length: number) => `${ok}Content-Length: 0\r\nX: ${"x".repeat(length - endings.length)}\r\n\r\n`;
  expect(outcome(readReply(bytes(withHeader(limit))))).toBe("kept 200 ");
  expect(outcome(readReply(bytes(withHeader(limit + 1))))).toBe(tooBig);
  expect(outcome(readReply(bytes(`${ok}X: ${"x".repeat(limit)}`)))).toBe(tooBig);
  expect(outcome(readReply(bytes("HTTP/1.1 100 Continue\r\n\r\n".repeat(3000))))).toBe(tooBig);
  expect(outcome(readReply(bytes(`${chunked}0\r\n${"X: y\r\n".repeat(20_000)}`)))).toBe(tooBig);
  expect(outcome(readReply(bytes(`${chunked}1;${"x".repeat(4096)}`)))).toBe(noChunk);
  const chunks = "1\r\nx\r\n".repeat(30_000);
  expect(outcome(readReply(bytes(`${chunked}${chunks}0\r\n\r\n`)))).toBe(`kept 200 ${"x".repeat(30_000)}`);
});
