import { expect, test } from "bun:test";
import { parseSimpleMode, type SimpleMode } from "./mode.ts";

function parse(query: string): SimpleMode | string {
  return parseSimpleMode(new URLSearchParams(query));
}

test.each(["", "webpubsub_mode=", "webpubsub_mode=sendEvent", "WEBPUBSUB_MODE=SENDEVENT", "group=&noEcho=maybe"])(
  "C-67 query %j means sendEvent",
  (query) => {
    expect(parse(query)).toEqual({ kind: "sendEvent" });
  },
);

test.each([
  ["webpubsub_mode=sendToGroup&group=g", "g", false],
  ["Webpubsub_Mode=SENDTOGROUP&GROUP=G&NOECHO=TRUE", "G", true],
  ["webpubsub_mode=sendToGroup&group=g&noEcho=", "g", false],
  ["webpubsub_mode=sendToGroup&group=g&noEcho=False", "g", false],
  ["webpubsub_mode=x&group=&noEcho=maybe&webpubsub_mode=sendToGroup&Group=a%20b&noecho=true", "a b", true],
  [`webpubsub_mode=sendToGroup&group=${"g".repeat(1024)}`, "g".repeat(1024), false],
])("C-66 C-68 query %j publishes to its group, the last of repeated parameters counts", (query, group, noEcho) => {
  const mode: unknown = parse(query);
  expect(mode).toEqual({ kind: "sendToGroup", group, noEcho });
});

test.each([
  "webpubsub_mode=other",
  "webpubsub_mode=sendEvent&webpubsub_mode=sendToGroups",
  "webpubsub_mode=sendToGroup",
  "webpubsub_mode=sendToGroup&group=",
  "webpubsub_mode=sendToGroup&group=%20%09",
  "webpubsub_mode=sendToGroup&group=g&group=",
  `webpubsub_mode=sendToGroup&group=${"g".repeat(1025)}`,
  "webpubsub_mode=sendToGroup&group=g&noEcho=maybe",
  "webpubsub_mode=sendToGroup&group=g&noEcho=true&noEcho=1",
])("C-67 query %j is refused with one line of text", (query) => {
  expect(parse(query)).toMatch(/^The query parameter [^\n]+\.$/);
});
