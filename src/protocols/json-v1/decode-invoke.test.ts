import { expect, test } from "bun:test";
import { decodeJsonV1 } from "./decode.ts";

/** As plain values: a command's names are strings with a brand that only types can see. */
const decode = (frame: string): unknown => decodeJsonV1(frame);
const someText: unknown = expect.any(String);
const invalid = { kind: "fault", cause: "invalidJsonMessage", text: someText };

const invoke = (members: string) => decode(`{"type":"invoke","invocationId":"1"${members}}`);
const calc = (members: string) => invoke(`,"target":"event","event":"calc"${members}`);
const invoked = {
  kind: "invoke",
  invocationId: "1",
  event: "calc",
  payload: { kind: "text", text: "" },
  metadata: null,
};

test("C-95 an invocation has the data of an event, or none", () => {
  expect(calc(',"dataType":"json","data":{"x":2}')).toEqual({
    ...invoked,
    payload: { kind: "json", source: '{"x":2}' },
  });
  expect(calc(',"data":4')).toEqual({ ...invoked, payload: { kind: "json", source: "4" } });
  expect(calc(',"dataType":"text","data":"x"')).toEqual({ ...invoked, payload: { kind: "text", text: "x" } });
  expect(calc(',"dataType":"binary","data":"AQID"')).toEqual({
    ...invoked,
    payload: { kind: "binary", bytes: new Uint8Array([1, 2, 3]) },
  });
  expect(calc("")).toEqual(invoked);
  expect(calc(',"dataType":null,"metadata":{"k":"v"},"ackId":"ignored"')).toEqual({
    ...invoked,
    metadata: [["k", "v"]],
  });
  expect(invoke(',"target":"EVENT","event":"calc"')).toEqual(invoked);
  const longest = "i".repeat(1024);
  expect(decode(`{"type":"INVOKE","invocationId":"${longest}","target":"event","event":"calc"}`)).toEqual({
    ...invoked,
    invocationId: longest,
  });
});

test.each(
  [
    ["", ',"event":"calc"', ',"target":null,"event":"calc"', ',"target":"group","event":"calc"', ',"target":1'],
    [',"target":"event"', ',"target":"event","event":null', ',"target":"event","event":"1"'],
    ['"data":null', '"dataType":"json"', '"dataType":"text","data":5', '"dataType":"xml","data":5'].map(
      (data) => `,"target":"event","event":"calc",${data}`,
    ),
    ['{"k":1}', '{"k":"1","k":"2"}', '{"é":""}', "[]"].map(
      (metadata) => `,"target":"event","event":"calc","metadata":${metadata}`,
    ),
  ].flat(),
)("C-95 a malformed invocation with a readable id gets its response: %s", (members) => {
  expect(invoke(members)).toEqual({ kind: "invokeProblem", invocationId: "1", message: someText });
});

test("C-57 an invocation without a readable id is invalid", () => {
  for (const id of ["null", "1", '""', "{}", `"${"i".repeat(1025)}"`])
    expect([id, decode(`{"type":"invoke","invocationId":${id},"target":"event","event":"calc"}`)]).toEqual([
      id,
      invalid,
    ]);
  expect(decode('{"type":"invoke","target":"event","event":"calc"}')).toEqual(invalid);
});

test("C-95 any id can be cancelled", () => {
  for (const invocationId of ["1", "", "i".repeat(2000)])
    expect(decode(`{"type":"cancelInvocation","invocationId":"${invocationId}"}`)).toEqual({
      kind: "cancelInvocation",
      invocationId,
    });
  for (const members of ["", ',"invocationId":null', ',"invocationId":1'])
    expect(decode(`{"type":"cancelInvocation"${members}}`)).toEqual(invalid);
});

test("C-95 a client's response to nothing is ignored", () => {
  expect(decode('{"type":"invokeResponse","invocationId":"1","success":true}')).toEqual({ kind: "ignored" });
  expect(decode('{"type":"invokeResponse"}')).toEqual({ kind: "ignored" });
});
