import { expect, test } from "bun:test";
import { decodeJsonV1 } from "./decode.ts";

/** As plain values: a command's names are strings with a brand that only types can see. */
const decode = (frame: string): unknown => decodeJsonV1(frame);
const someText: unknown = expect.any(String);
const invalid = { kind: "fault", cause: "invalidJsonMessage", text: someText };

const open = (stream: string, more = "") =>
  decode(`{"type":"sendToGroup","group":"red","noEcho":false,"stream":${stream}${more}}`);
const opened = {
  kind: "streamStart",
  streamId: "s1",
  group: "red",
  metadata: null,
  noEcho: false,
  ttlSeconds: 0,
  idleTimeoutMs: 300_000,
  ackId: null,
};
const refused = (streamId: string, ackId: string | null = null) => {
  return { kind: "streamProblem", streamId, opens: true, message: someText, ackId };
};
const broken = { kind: "streamProblem", streamId: "s1", opens: false, message: someText, ackId: null };

test("C-96 a stream opens with what holds for all its messages", () => {
  expect(open('{"streamId":"s1"}')).toEqual(opened);
  expect(open('{"streamId":"s1","idleTimeoutMs":null,"x":1}')).toEqual(opened);
  expect(open('{"streamId":"s1"}', ',"data":null,"dataType":null')).toEqual(opened);
  expect(open('{"idleTimeoutMs":9,"streamId":"no","\\u0073treamId":"\\u00731"}')).toEqual({
    ...opened,
    idleTimeoutMs: 9,
  });
  expect(
    open('{"streamId":"s1"}', ',"noEcho":true,"ttlSeconds":5,"ackId":18446744073709551615,"metadata":{"k":"v"}'),
  ).toEqual({ ...opened, noEcho: true, ttlSeconds: 5, ackId: "18446744073709551615", metadata: [["k", "v"]] });
  const longest = "s".repeat(1024);
  expect(open(`{"streamId":"${longest}"}`)).toEqual({ ...opened, streamId: longest });
});

test("C-96 an idle timeout beyond what a number holds is the longest one", () => {
  const idleTimeoutMs = Number.MAX_SAFE_INTEGER;
  for (const long of ["9007199254740993", "9".repeat(400)])
    expect(open(`{"streamId":"s1","idleTimeoutMs":${long}}`)).toEqual({ ...opened, idleTimeoutMs });
});

test("C-97 a stream that cannot open is refused by its id, in an ack as well", () => {
  const tooLong = "s".repeat(1025);
  expect(open('{"streamId":""}')).toEqual(refused(""));
  expect(open(`{"streamId":"${tooLong}"}`)).toEqual(refused(tooLong));
  for (const payload of ['"data":1', '"dataType":"text"', '"data":"x","dataType":"text"', '"data":{},"dataType":5'])
    expect(open('{"streamId":"s1"}', `,"ackId":7,${payload}`)).toEqual(refused("s1", "7"));
  for (const bad of ["0", "-1", "1.0", "1e3", '"1"', "true", "{}", "[]"])
    expect(open(`{"streamId":"s1","idleTimeoutMs":${bad}}`)).toEqual(refused("s1"));
});

test("C-57 a stream without a readable id is invalid, and so is what is invalid without a stream", () => {
  for (const stream of ["1", '"s1"', "true", "[]", '["streamId","s1"]', "{}", '{"streamId":null}', '{"streamId":1}'])
    expect([stream, open(stream)]).toEqual([stream, invalid]);
  const rest = ['"ttlSeconds":301', '"metadata":{"k":1}', '"noEcho":1', '"ackId":-1', '"group":""'];
  for (const member of rest) expect([member, open('{"streamId":"s1"}', `,${member}`)]).toEqual([member, invalid]);
  expect(open("null")).toEqual(invalid);
  expect(open("null", ',"data":1')).toMatchObject({ kind: "sendToGroup", group: "red" });
  expect(decode('{"type":"event","event":"e","data":1,"stream":{"streamId":"s1"}}')).toEqual(invalid);
  expect(decode('{"type":"event","event":"e","data":1,"stream":null}')).toMatchObject({ kind: "event" });
});

const data = (members: string) => decode(`{"type":"streamData","streamId":"s1"${members}}`);
const fragment = (sequenceId: number, payload: object) => ({ kind: "streamData", streamId: "s1", sequenceId, payload });

test("C-96 a fragment has its number and a payload of any type", () => {
  const text = (value: string) => ({ kind: "text", text: value });
  expect(data(',"streamSequenceId":1,"dataType":"text","data":"a"')).toEqual(fragment(1, text("a")));
  expect(data(',"streamSequenceId":2,"dataType":"JSON","data":{"a": 1.0}')).toEqual(
    fragment(2, { kind: "json", source: '{"a": 1.0}' }),
  );
  expect(data(',"streamSequenceId":3,"dataType":"binary","data":"AQID"')).toEqual(
    fragment(3, { kind: "binary", bytes: new Uint8Array([1, 2, 3]) }),
  );
  expect(data(',"streamSequenceId":4,"dataType":"protobuf","data":"CgFhEgIIAQ=="')).toEqual(
    fragment(4, { kind: "protobuf", any: Uint8Array.fromHex("0a016112020801") }),
  );
  expect(data(',"streamSequenceId":18446744073709551615,"dataType":"text","data":""')).toEqual(
    fragment(2 ** 64, text("")),
  );
  expect(decode('{"type":"STREAMDATA","streamId":"","streamSequenceId":1,"dataType":"text","data":""}')).toEqual({
    ...fragment(1, text("")),
    streamId: "",
  });
});

test("C-98 without number and payload it is a keep-alive", () => {
  const keepAlive = { kind: "streamKeepAlive", streamId: "s1" };
  expect(data("")).toEqual(keepAlive);
  expect(data(',"streamSequenceId":null,"dataType":null,"data":null,"ackId":"ignored","group":5')).toEqual(keepAlive);
});

test.each(
  [
    [',"streamSequenceId":1', ',"dataType":"text"', ',"data":"a"', ',"data":0', ',"streamSequenceId":0'],
    [',"streamSequenceId":1,"dataType":"text"', ',"streamSequenceId":1,"data":"a"', ',"dataType":"text","data":"a"'],
    [',"streamSequenceId":1,"dataType":"json","data":null', ',"streamSequenceId":1,"dataType":"text","data":5'],
    [',"streamSequenceId":1,"dataType":"xml","data":"a"', ',"streamSequenceId":1,"dataType":5,"data":"a"'],
    [',"streamSequenceId":1,"dataType":"binary","data":"-"', ',"streamSequenceId":1,"dataType":"protobuf","data":"Cg"'],
    [',"metadata":{"k":"v"},"streamSequenceId":1,"dataType":"text"'],
    ["0", "-1", "1.5", "1.0", "1e1", '"1"', "18446744073709551616", "true", "{}"].map(
      (id) => `,"streamSequenceId":${id},"dataType":"text","data":"a"`,
    ),
  ].flat(),
)("C-97 a broken fragment closes its stream, not the connection: %s", (members) => {
  expect(data(members)).toEqual(broken);
});

test("C-96 a stream ends, with an error or without", () => {
  const end = (members: string) => decode(`{"type":"streamEnd","streamId":"s1"${members}}`);
  const ended = (error: object | null) => ({ kind: "streamEnd", streamId: "s1", error });
  expect(end("")).toEqual(ended(null));
  expect(end(',"error":null')).toEqual(ended(null));
  expect(end(',"error":{}')).toEqual(ended({ message: null, userErrorCode: null }));
  expect(end(',"error":{"message":"m","userErrorCode":null,"name":null,"x":1}')).toEqual(
    ended({ message: "m", userErrorCode: null }),
  );
  expect(end(',"error":{"message":"no","userErrorCode":"c\\u0031","message":""}')).toEqual(
    ended({ message: "", userErrorCode: "c1" }),
  );
  const members = ['{"name":"UserError"}', '{"name":""}', '{"message":1}', '{"userErrorCode":{}}', "1", '"e"', "[]"];
  for (const error of members) expect([error, end(`,"error":${error}`)]).toEqual([error, broken]);
});

test("C-57 stream messages without a readable id are invalid", () => {
  for (const type of ["streamData", "streamEnd"])
    for (const id of ["", ',"streamId":null', ',"streamId":1', ',"streamId":["s1"]'])
      expect([type, id, decode(`{"type":"${type}"${id}}`)]).toEqual([type, id, invalid]);
});
