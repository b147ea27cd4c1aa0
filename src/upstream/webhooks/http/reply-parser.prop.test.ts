import { expect, test } from "bun:test";
import fc from "fast-check";
import { readReply } from "../../../../tests/support/http-reply.ts";

const name = fc
  .stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,20}$/)
  .filter((text) => !/^(?:content-length|transfer-encoding|connection)$/i.test(text));
const value = fc.stringMatching(/^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]{0,20}[\x21-\x7e\x80-\xff])?)?$/);
const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });

const reply = fc
  .record({
    status: fc.integer({ min: 200, max: 999 }).filter((status) => status !== 204 && status !== 304),
    headers: fc.array(fc.tuple(name, value), { maxLength: 6 }),
    interims: fc.array(fc.constantFrom(100, 102, 103), { maxLength: 2 }),
    chunks: fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 5 }),
    framing: fc.constantFrom("counted" as const, "chunked" as const, "untilClose" as const),
    saysClose: fc.boolean(),
    surplus: fc.uint8Array({ maxLength: 3 }),
  })
  .map(({ status, headers, interims, chunks, framing, saysClose, surplus }) => {
    const body = Buffer.concat(chunks);
    const rawHeaders = headers.flat();
    if (framing === "counted") rawHeaders.push("Content-Length", String(body.length));
    if (framing === "chunked") rawHeaders.push("Transfer-Encoding", "chunked");
    if (saysClose) rawHeaders.push("Connection", "close");
    let head = interims.map((interim) => `HTTP/1.1 ${interim} Wait\r\nX: y\r\n\r\n`).join("");
    head += `HTTP/1.1 ${status} Final\r\n`;
    for (let index = 0; index < rawHeaders.length; index += 2)
      head += `${rawHeaders[index]}: ${rawHeaders[index + 1]}\r\n`;
    const parts = [Buffer.from(`${head}\r\n`, "latin1")];
    if (framing === "chunked") {
      for (const chunk of chunks) parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), Buffer.from(chunk), crLf);
      parts.push(Buffer.from("0\r\n\r\n"));
    } else parts.push(body);
    if (framing !== "untilClose") parts.push(Buffer.from(surplus));
    const isReusable = framing !== "untilClose" && !saysClose && surplus.length === 0;
    return { bytes: Buffer.concat(parts), expected: { head: { status, rawHeaders }, body, isReusable } };
  });
const crLf = Buffer.from("\r\n");

test("H-37 a well-formed reply is read as it was meant, however it is cut", () => {
  fc.assert(
    fc.property(reply, pieces, ({ bytes, expected }, cuts) => {
      expect(readReply(bytes, cuts, true)).toEqual({ progress: "complete", problem: "", ...expected });
    }),
  );
});

test("H-37 a reply with any bytes put over it is read the same however it is cut, and never throws", () => {
  const patches = fc.array(
    fc.tuple(
      fc.nat(300),
      fc.oneof(
        fc.uint8Array({ maxLength: 3 }),
        fc.constantFrom("\r", "\n", "\r\n", "0\r\n\r\n", ":", " ").map((text) => Buffer.from(text)),
      ),
    ),
    { maxLength: 3 },
  );
  fc.assert(
    fc.property(reply, patches, pieces, ({ bytes }, edits, cuts) => {
      const input = Buffer.from(bytes);
      for (const [at, patch] of edits)
        input.set(patch.slice(0, Math.max(0, input.length - at)), Math.min(at, input.length));
      expect(readReply(input, cuts)).toEqual(readReply(input));
    }),
    { numRuns: 500 },
  );
});
