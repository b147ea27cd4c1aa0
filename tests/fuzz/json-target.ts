import { decodeJsonV1 } from "../../src/protocols/json-v1/decode.ts";
import { codecOutcome } from "./codec-outcome.ts";
import type { FuzzTarget } from "./target.ts";

const encoder = new TextEncoder();
/** As the transport reads a frame, except that it closes the connection where this one puts U+FFFD. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const mebibyte = 2 ** 20;

/** An object with as many members as a message has room for. */
const object = (head: string, member: (index: number) => string) => (): Uint8Array => {
  const members = [head];
  for (let length = head.length; length < mebibyte - 100; length += members.at(-1)?.length ?? 0)
    members.push(`,${member(members.length)}`);
  return encoder.encode(`{${members.join("")}}`);
};
const long = (head: string, part: string, tail: string) => (): Uint8Array =>
  encoder.encode(head + part.repeat(Math.floor((mebibyte - head.length - tail.length) / part.length)) + tail);
const send = '{"type":"sendToGroup","group":"g"';

/** The decoder of both JSON protocols (H-13). */
export const jsonTarget: FuzzTarget = {
  name: "json",
  corpusFolder: "json",
  extension: "json",
  isText: true,
  kinds: [
    ...(["fault", "joinGroup", "leaveGroup", "sendToGroup", "event", "ping", "sequenceAck", "ignored"] as const),
    ...(["streamStart", "streamData", "streamKeepAlive", "streamEnd", "streamProblem"] as const),
    ...(["invoke", "invokeProblem", "cancelInvocation"] as const),
    ...(["setGroupState", "subscribeGroupState", "unsubscribeGroupState"] as const),
  ],
  dictionary: [
    ...["{", "}", "[", "]", '"', ":", ",", "\\", " ", "\n", "null", "true", "false", "{}", "[]", '""'],
    ...["type", "group", "event", "data", "dataType", "ackId", "noEcho", "ttlSeconds", "metadata", "sequenceId"].map(
      (name) => `"${name}"`,
    ),
    ...["stream", "streamId", "streamSequenceId", "idleTimeoutMs", "error", "message", "userErrorCode", "name"].map(
      (name) => `"${name}"`,
    ),
    ...["invocationId", "target", "state", "__proto__", "constructor"].map((name) => `"${name}"`),
    ...[',"stream":{"streamId":"s"}', ',"metadata":{"k":"v"}', ',"data":null', ',"streamSequenceId":2', ',"error":{}'],
    ...["joinGroup", "leaveGroup", "sendToGroup", "event", "ping", "sequenceAck", "streamData", "streamEnd"].map(
      (type) => `"${type}"`,
    ),
    ...["invoke", "cancelInvocation", "invokeResponse", "setGroupState", "subscribeGroupState"].map(
      (type) => `"${type}"`,
    ),
    ...['"unsubscribeGroupState"', '"json"', '"text"', '"binary"', '"protobuf"', '"AQID"', '"CgFhEgIIAQ=="'],
    ...["0", "-0", "1", "-1", "1.5", "1e999", "300", "301", "18446744073709551615", "18446744073709551616"],
    ...["\\u0000", "\\ud800", "\\udfff", "\\u00e9", "é", "😀", "\ufeff", "\u0000", "\u2028", "//", "'"],
  ].map((token) => encoder.encode(token)),
  generated: {
    "long text": long(`${send},"dataType":"text","data":"`, "x", '"}'),
    "long text of escapes": long(`${send},"dataType":"text","data":"`, "\\u0041", '"}'),
    "long text of quotes": long(`${send},"dataType":"text","data":"`, '\\"', '"}'),
    "long text without end": long(`${send},"dataType":"text","data":"`, "x", ""),
    "long base64": long(`${send},"dataType":"binary","data":"`, "AQID", '"}'),
    "long group": long('{"type":"joinGroup","group":"', "g", '"}'),
    "long type": long('{"type":"', "ping", '"}'),
    "long member name": long('{"type":"ping","', "n", '":1}'),
    "long ack id": long('{"type":"joinGroup","group":"g","ackId":', "9", "}"),
    "long fraction": long(`${send},"data":0.`, "9", "}"),
    "long stream id": long(`${send},"stream":{"streamId":"`, "s", '"}}'),
    "long timeout": long(`${send},"stream":{"streamId":"s","idleTimeoutMs":`, "9", "}}"),
    "long array": long(`${send},"data":[1`, ",1", "]}"),
    "long array of arrays": long(`${send},"data":[[]`, ",[]", "]}"),
    "open arrays": long(`${send},"data":`, "[", ""),
    "open objects": long(`${send},"data":`, '{"a":', ""),
    blanks: long(`${send},"data":`, " ", "1}"),
    backslashes: long('{"type":"joinGroup","group":"', "\\\\", '"}'),
    "metadata of one key": long(`${send},"metadata":{"k":"v"`, ',"k":"v"', "}}"),
    "state of one key": long('{"type":"setGroupState","group":"g","state":{"k":"v"', ',"k":"v"', "}}"),
    "state of many keys": () => {
      const state = object('"k":"v"', (index) => `"${index.toString(36)}":""`)();
      return encoder.encode(`{"type":"setGroupState","group":"g","state":${decoder.decode(state)}}`);
    },
    "unknown members": object('"type":"invoke","invocationId":"1"', () => '"a":1'),
    "unknown members, escaped": object('"type":"streamData","streamId":"1"', () => '"\\u0061":1'),
    "one member again and again": object('"type":"streamEnd","streamId":"s"', () => '"error":{}'),
    "one escaped member again and again": object('"type":"ping"', () => '"\\u0064ata":1'),
  },
  decode: (bytes) => codecOutcome(decodeJsonV1(decoder.decode(bytes))),
};
