import { expect, test } from "bun:test";
import { groupsAt, textAt, textsAt, valueAt, withValue } from "./raw-settings.ts";

const settings = {
  auth: { type: "None", sasl: { user: "u" } },
  list: ["a", 1, "b"],
  seconds: 20,
  groups: [{ a: 1 }, 2],
};

test("values are read by path, whatever stands in the way", () => {
  expect(valueAt(settings, ["auth", "sasl", "user"])).toBe("u");
  expect(valueAt(settings, ["list", "x", "y"])).toBeUndefined();
  expect([textAt(settings, ["seconds"]), textAt(settings, ["auth"]), textAt({}, ["a", "b"])]).toEqual(["20", "", ""]);
  expect(textsAt(settings, ["list"])).toEqual(["a", "b"]);
  expect(groupsAt(settings, ["groups"])).toEqual([{ a: 1 }]);
});

test("a change leaves everything else as it is, and no empty groups behind", () => {
  expect(withValue(settings, ["auth", "resource", "id"], "r")).toEqual({
    ...settings,
    auth: { ...settings.auth, resource: { id: "r" } },
  });
  expect(withValue(settings, ["auth", "sasl", "user"], undefined)).toEqual({ ...settings, auth: { type: "None" } });
  expect(withValue({ a: 1 }, ["b", "c"], undefined)).toEqual({ a: 1 });
  expect(withValue({ a: {} }, ["a"], {})).toEqual({ a: {} });
});
