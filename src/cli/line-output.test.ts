import { expect, test } from "bun:test";
import { Writable } from "node:stream";
import { lineOutput } from "./line-output.ts";

const mebibyte = "x".repeat(1_048_575); // with its line break

/** A stream whose reader takes a piece only when told so. */
function stalled() {
  const taken: string[] = [];
  const pending: (() => void)[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      taken.push(text);
      pending.push(done);
    },
  });
  const takeAll = async (): Promise<void> => {
    while (pending.length > 0) {
      pending.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { stream, taken, takeAll };
}

test("lines behind 16 MiB that nobody reads are dropped, and counted once lines pass again", async () => {
  const { stream, taken, takeAll } = stalled();
  const losses: number[] = [];
  const write = lineOutput(stream, (lines) => losses.push(lines));
  for (let index = 0; index < 20; index++) write(mebibyte);
  await takeAll();
  expect(taken).toHaveLength(17);
  expect(losses).toEqual([]);
  write("again");
  await takeAll();
  expect(losses).toEqual([3]);
  expect(taken.at(-1)).toBe("again\n");
});

test("a reader that has gone away costs nothing but the log", async () => {
  const stream = new Writable({ write: (_text, _encoding, done) => done(new Error("EPIPE")) });
  const write = lineOutput(stream, () => {});
  write("first");
  await new Promise((resolve) => stream.once("close", resolve));
  expect(() => write("second")).not.toThrow();
});
