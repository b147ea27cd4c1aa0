import { decodeProtobufV1 } from "../../src/protocols/protobuf-v1/decode.ts";
import { field } from "../support/protobuf/wire.ts";
import { codecOutcome } from "./codec-outcome.ts";
import type { FuzzTarget } from "./target.ts";

const hex = (text: string): Uint8Array => Uint8Array.fromHex(text);
const repeated = (part: Uint8Array, count: number): Uint8Array => Buffer.alloc(part.length * count, part);
/** What the largest message that a client can send has room for beside a few short fields. */
const room = 2 ** 20 - 64;
const filling = (part: Uint8Array): Uint8Array => repeated(part, Math.floor(room / part.length));

/** The decoder of both protobuf protocols (H-13). */
export const protobufTarget: FuzzTarget = {
  name: "protobuf",
  corpusFolder: "protobuf",
  extension: "bin",
  isText: false,
  kinds: [
    ...(["fault", "joinGroup", "leaveGroup", "sendToGroup", "event", "ping", "sequenceAck"] as const),
    ...(["streamStart", "streamData", "streamKeepAlive", "streamEnd", "streamProblem"] as const),
  ],
  dictionary: [
    // Tags of the requests and of their fields, as bytes and strings, varints and groups.
    ...["0a", "2a", "32", "3a", "42", "4a", "6a", "72", "12", "1a", "22", "08", "10", "18", "20", "28"].map(hex),
    ...["0b", "0c", "fb06", "fc06", "0d", "09", "0f", "00"].map(hex),
    // Varints and lengths at their limits, overlong ones, and ones without end.
    ...["7f", "8001", "ffffffff07", "8080808008", "ffffffff0f", "ffffffffffffffffff01", "ffffffffffffffffffff01"].map(
      hex,
    ),
    ...["8000", "80808080808080808000", "80", "ffff"].map(hex),
    // UTF-8 at its limits and beyond.
    ...["efbbbf", "c0af", "eda080", "f4908080", "f09f9880", "c3"].map(hex),
    // Whole parts: a group, text, a stream, a fragment's number, an entry of metadata, JSON, an Any.
    field(1, "g"),
    field(3, field(1, "x")),
    field(3, field(4, '{"a":1}')),
    field(3, field(3, field(1, "a"))),
    field(7, field(1, "s")),
    field(6, field(1, "k"), field(2, "v")),
    hex("1001"),
  ],
  generated: {
    "members that take turns": () => filling(Buffer.concat([field(6, field(1, "g")), field(13, field(1, "s"))])),
    "parts to merge": () => filling(field(13, field(1, "s"))),
    "metadata of one key": () => field(1, field(1, "g"), filling(field(6, field(1, "k"), field(2, "v")))),
    "metadata of many keys": () => {
      const entry = (index: number): Uint8Array => field(6, field(1, String(index)));
      return field(1, field(1, "g"), ...Array.from({ length: 50_000 }, (_, index) => entry(index)));
    },
    "groups within groups": () => Buffer.concat([filling(hex("0b")), field(9)]),
    "unknown fields": () => Buffer.concat([filling(hex("7801")), field(9)]),
    "a long text": () => field(1, field(1, "g"), field(3, field(1, "é".repeat(room / 2)))),
    "a long text that ends within a character": () => {
      return field(1, field(1, "g"), field(3, field(1, filling(hex("c3a9")), hex("c3"))));
    },
    "JSON of many arrays": () => field(1, field(1, "g"), field(3, field(4, `[${"[],".repeat(room / 4)}[]]`))),
    "JSON too deep": () => field(1, field(1, "g"), field(3, field(4, "[".repeat(room)))),
    "an Any of many fields": () => field(1, field(1, "g"), field(3, field(3, filling(hex("0a0161"))))),
    "a long stream id": () => field(13, field(1, "s".repeat(room))),
  },
  decode: (bytes) => codecOutcome(decodeProtobufV1(bytes)),
};
