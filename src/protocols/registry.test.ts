import { expect, test } from "bun:test";
import { jsonV1Codec } from "./json-v1/codec.ts";
import { protobufV1Codec } from "./protobuf-v1/codec.ts";
import { chooseSubprotocol, parseOffers } from "./registry.ts";
import { simpleCodec } from "./simple/codec.ts";

const json = "json.webpubsub.azure.v1";

test.each<[string, string | null, string[]]>([
  ["no header", null, []],
  ["an empty header", "", []],
  ["one name", "a", ["a"]],
  ["several names", "a, b,c\t,\td", ["a", "b", "c", "d"]],
  ["empty entries", ",, a,,b ,", ["a", "b"]],
  ["entries that are not tokens", 'a b, "c", d;e, é, f', ["f"]],
])("offers of %s", (_what, header, offers) => {
  expect(parseOffers(header)).toEqual(offers);
});

test("H-21 32,000 blanks or commas are no offers, and at most 100 offers count", () => {
  expect(parseOffers(" ".repeat(32_000))).toEqual([]);
  expect(parseOffers(",".repeat(32_000))).toEqual([]);
  expect(parseOffers(" ,".repeat(16_000))).toEqual([]);
  expect(parseOffers(`a${" ".repeat(32_000)}b`)).toEqual([]);
  expect(parseOffers("a,".repeat(16_000))).toHaveLength(100);
});

test.each<[string, string[], string | null]>([
  ["C-19 in another case, echoed as offered", ["JSON.WEBPUBSUB.AZURE.V1"], "JSON.WEBPUBSUB.AZURE.V1"],
  ["C-20 behind a custom name", ["custom", json], json],
  ["C-20 twice, the first spelling", ["JSON.webpubsub.azure.v1", json], "JSON.webpubsub.azure.v1"],
])("%s: JSON is spoken", (_what, offered, subprotocol) => {
  expect(chooseSubprotocol(offered, null)).toEqual({ subprotocol, codec: jsonV1Codec });
});

test("C-19 protobuf is spoken where it is the first supported offer, in any case", () => {
  const protobuf = "Protobuf.webpubsub.azure.V1";
  const choice = { subprotocol: protobuf, codec: protobufV1Codec };
  expect(chooseSubprotocol(["custom", protobuf, json], null)).toEqual(choice);
  expect(chooseSubprotocol([json, protobuf], protobuf.toLowerCase())).toEqual(choice);
});

test.each<[string, string[], string | null]>([
  ["nothing offered", [], null],
  ["C-21 one unsupported offer is echoed", ["custom"], "custom"],
  ["several unsupported offers", ["custom", "other"], null],
])("%s: a simple client", (_what, offered, subprotocol) => {
  expect(chooseSubprotocol(offered, null)).toEqual({ subprotocol, codec: simpleCodec });
});

test("C-22 E-40 a custom choice of the handler makes a simple client, also beside a supported offer", () => {
  const choice = { subprotocol: "custom", codec: simpleCodec };
  expect(chooseSubprotocol(["custom"], "custom")).toEqual(choice);
  expect(chooseSubprotocol([json, "custom"], "custom")).toEqual(choice);
  expect(chooseSubprotocol(["Custom", "custom"], "custom")).toEqual(choice);
  expect(chooseSubprotocol(["other", "Custom"], "custom")).toEqual({ ...choice, subprotocol: "Custom" });
});

test("E-39 the handler may choose a supported name in any case", () => {
  expect(chooseSubprotocol(["custom", json], json.toUpperCase())).toEqual({ subprotocol: json, codec: jsonV1Codec });
});

test("a handler's choice without offers is ignored, with other offers it is not offered", () => {
  expect(chooseSubprotocol([], json)).toEqual({ subprotocol: null, codec: simpleCodec });
  expect(chooseSubprotocol(["custom"], json)).toBe("notOffered");
});
