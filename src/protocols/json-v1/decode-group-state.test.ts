import { expect, test } from "bun:test";
import { decodeJsonV1 } from "./decode.ts";

/** As plain values: a command's names are strings with a brand that only types can see. */
const decode = (frame: string): unknown => decodeJsonV1(frame);
const someText: unknown = expect.any(String);
const invalid = { kind: "fault", cause: "invalidJsonMessage", text: someText };

const set = (members: string) => decode(`{"type":"setGroupState","group":"red"${members}}`);
const stateSet = (state: readonly (readonly string[])[] | null) => {
  return { kind: "setGroupState", group: "red", state, ackId: null };
};

test("C-100 a state is set or cleared", () => {
  expect(set(',"ackId":1,"state":{"b":"1","a":"\\u0032"}')).toEqual({
    ...stateSet([
      ["b", "1"],
      ["a", "2"],
    ]),
    ackId: "1",
  });
  expect(set("")).toEqual(stateSet(null));
  expect(set(',"state":null')).toEqual(stateSet(null));
  expect(set(',"state":{}')).toEqual(stateSet([]));
});

test("C-100 the last of equal keys counts, escaped or not", () => {
  expect(set(',"state":{"a":"1","b":"2","\\u0061":"3","":"4","__proto__":"5","10":"6"}')).toEqual(
    stateSet([
      ["a", "3"],
      ["b", "2"],
      ["", "4"],
      ["__proto__", "5"],
      ["10", "6"],
    ]),
  );
});

test("C-100 a state can have 8192 keys, whatever limit its bytes have", () => {
  const entries = Array.from({ length: 8193 }, (_, index) => [`k${index}`, `v"${index}`]);
  const source = (count: number) => JSON.stringify(Object.fromEntries(entries.slice(0, count)));
  expect(set(`,"state":${source(8192)}`)).toEqual(stateSet(entries.slice(0, 8192)));
  expect(set(`,"state":${source(8193)}`)).toEqual(invalid);
});

test("C-57 a state that is no object of strings is invalid, and so are group and ack id", () => {
  for (const state of ["[]", '"s"', "1", "true", '{"a":1}', '{"a":null}', '{"a":{}}', '{"a":"1","b":false}'])
    expect([state, set(`,"state":${state}`)]).toEqual([state, invalid]);
  for (const type of ["setGroupState", "subscribeGroupState", "unsubscribeGroupState"])
    for (const members of ["", ',"group":""', ',"group":5', ',"group":"g","ackId":-1', ',"group":"g","ackId":"1"'])
      expect([type, members, decode(`{"type":"${type}"${members}}`)]).toEqual([type, members, invalid]);
});

test("C-100 members are watched until further notice", () => {
  for (const kind of ["subscribeGroupState", "unsubscribeGroupState"]) {
    expect(decode(`{"type":"${kind}","group":"red"}`)).toEqual({ kind, group: "red", ackId: null });
    expect(decode(`{"type":"${kind.toUpperCase()}","ackId":0,"group":"red","state":5}`)).toEqual({
      kind,
      group: "red",
      ackId: "0",
    });
  }
});
