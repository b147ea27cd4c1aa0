import { expect, test } from "bun:test";
import type { NetworkRules } from "../../api/admin.ts";
import { changesOf, choiceOf, lockouts, privateAccess, publicAccess, withChoice } from "./network-rules.ts";

const open: NetworkRules = {
  publicNetworkAccess: "Enabled",
  defaultAction: "Allow",
  publicNetwork: { allow: [], deny: [] },
  privateEndpoints: [],
  ipRules: [],
  source: "configuration",
};
const lan: NetworkRules["privateEndpoints"][number] = { name: "lan", allow: ["RESTAPI", "Trace"], deny: [] };
const office = { value: "203.0.113.0/24", action: "Allow" };

test("M-27 M-28 public access, default action and refused kinds decide who gets in", () => {
  expect(publicAccess(open, "RESTAPI")).toBe("everyone");
  expect(publicAccess({ ...open, publicNetworkAccess: "Disabled" }, "RESTAPI")).toBe("nobody");
  const denied = { ...open, publicNetwork: { allow: ["RESTAPI"], deny: ["RESTAPI"] } };
  expect([publicAccess(denied, "RESTAPI"), publicAccess(denied, "Trace")]).toEqual(["nobody", "everyone"]);
  const listed = { ...open, defaultAction: "Deny", publicNetwork: { allow: ["RESTAPI"], deny: [] } };
  expect([publicAccess(listed, "RESTAPI"), publicAccess(listed, "Trace")]).toEqual(["everyone", "nobody"]);
});

test("M-31 IP rules let some addresses in, or keep some out", () => {
  expect(publicAccess({ ...open, defaultAction: "Deny", ipRules: [office] }, "RESTAPI")).toBe("someAddresses");
  expect(publicAccess({ ...open, ipRules: [{ ...office, action: "Deny" }] }, "RESTAPI")).toBe("someAddresses");
  expect(publicAccess({ ...open, ipRules: [office] }, "RESTAPI")).toBe("everyone");
});

test("M-30 a named listener follows its own rules alone", () => {
  const rules = { ...open, publicNetworkAccess: "Disabled", defaultAction: "Deny" };
  expect(privateAccess(rules, { allow: ["Trace"], deny: [] }, "Trace")).toBe("everyone");
  expect(privateAccess(rules, { allow: ["Trace"], deny: [] }, "RESTAPI")).toBe("nobody");
});

test("a kind of request is allowed, denied or neither", () => {
  const denied = withChoice(lan, "Trace", "deny");
  expect(denied).toEqual({ name: "lan", allow: ["RESTAPI"], deny: ["Trace"] });
  expect([choiceOf(denied, "Trace"), choiceOf(denied, "RESTAPI"), choiceOf(denied, "ClientConnection")]).toEqual([
    "deny",
    "allow",
    "none",
  ]);
  expect(withChoice(denied, "Trace", "none")).toEqual({ name: "lan", allow: ["RESTAPI"], deny: [] });
});

test("who would be locked out is said, and nobody when it only gets wider", () => {
  const closed = { ...open, publicNetworkAccess: "Disabled" };
  expect(lockouts(open, closed)).toEqual(["Clients, applications that use the REST API, and tunnels are refused."]);
  expect(lockouts(closed, open)).toEqual([]);
  const some = { ...open, defaultAction: "Deny", ipRules: [office] };
  const restOnly = { ...some, publicNetwork: { allow: ["RESTAPI"], deny: ["ClientConnection"] } };
  expect(lockouts(open, restOnly)).toEqual([
    "Clients and tunnels are refused.",
    "Applications that use the REST API are refused unless an IP rule lets them in.",
  ]);
  expect(lockouts(some, { ...some, ipRules: [{ ...office, value: "192.0.2.1" }] })[0]).toContain("other IP rules");
  expect(lockouts(some, { ...some, ipRules: [office, { value: "192.0.2.1", action: "Allow" }] })).toEqual([]);
  const refusing = { ...open, ipRules: [{ ...office, action: "Deny" }] };
  expect(
    lockouts(refusing, { ...refusing, ipRules: [...refusing.ipRules, { value: "::1", action: "Deny" }] })[0],
  ).toContain("other IP rules");
  const listed = withChoice(open.publicNetwork, "Trace", "deny");
  expect(lockouts(open, { ...open, publicNetwork: listed })).toEqual([]);
});

test("only what changed is sent", () => {
  expect(changesOf(open, { ...open, ipRules: [office] })).toEqual({ ipRules: [office] });
  expect(changesOf(open, { ...open })).toEqual({});
});
