import { expect, test } from "bun:test";
import { faultAt, faultsElsewhere, faultsOf } from "./faults.ts";

const fault = (target: string) => ({ target, message: `of ${target}` });

test("targets become relative to their group, however its path is written", () => {
  const roots = ["hubs.a.b", 'hubs["a.b"]'];
  const targets = (all: readonly string[]) => faultsOf(all.map(fault), roots).map(({ target }) => target);
  expect(targets(["hubs.a.b.eventHandlers[0]", 'hubs["A.B"].allowedOrigins[1]', "hubs.a.bc.x", "hubs.a.b"])).toEqual([
    "eventHandlers[0]",
    "allowedOrigins[1]",
    "hubs.a.bc.x",
    "",
  ]);
});

test("a field shows what is wrong with its setting or inside it, and nothing else", () => {
  const faults = ["list[10].value", "list[1].value", "name"].map(fault);
  expect(faultAt(faults, "list[1]")).toBe("of list[1].value");
  expect(faultAt(faults, "list")).toBe("of list[10].value");
  expect(faultAt(faults, "na")).toBeNull();
  expect(faultAt([fault("")], "")).toBe("of ");
  expect(faultAt(faults, "")).toBeNull();
  expect(faultsElsewhere(faults, ["list[1]", "name"]).map(({ target }) => target)).toEqual(["list[10].value"]);
});
