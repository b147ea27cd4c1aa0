import { expect, test } from "bun:test";
import { parseIpRange } from "./ip-address.ts";
import { evaluateNetworkAccess, type NetworkRules, type RequestType, requestTypes } from "./network-access.ts";

const open: NetworkRules = {
  publicNetworkAccess: "Enabled",
  defaultAction: "allow",
  publicNetwork: { allow: [], deny: [] },
  privateEndpoints: new Map(),
  ipRules: [],
};

const ipRules = (...rules: readonly (readonly ["allow" | "deny", string])[]): NetworkRules["ipRules"] =>
  rules.map(([action, text]) => {
    const range = parseIpRange(text);
    if (range === null) throw new Error(`unreadable range ${text}`);
    return { range, action };
  });

const decide = (rules: NetworkRules, address: string, type: RequestType = "ClientConnection") =>
  evaluateNetworkAccess(rules, { type, address, listener: null });

const allowedTypes = (rules: NetworkRules): RequestType[] =>
  requestTypes.filter(
    (type) => evaluateNetworkAccess(rules, { type, address: "192.0.2.7", listener: null }) === "allowed",
  );

test("M-27 disabled public access refuses every request type whatever the other rules say", () => {
  const rules: NetworkRules = {
    ...open,
    publicNetworkAccess: "Disabled",
    publicNetwork: { allow: requestTypes, deny: [] },
    ipRules: ipRules(["allow", "0.0.0.0/0"]),
  };
  expect(allowedTypes(rules)).toEqual([]);
});

test("M-28 an allow list with default deny admits the listed types only", () => {
  const rules: NetworkRules = {
    ...open,
    defaultAction: "deny",
    publicNetwork: { allow: ["ClientConnection"], deny: [] },
  };
  expect(allowedTypes(rules)).toEqual(["ClientConnection"]);
});

test("M-29 a deny list with default allow refuses the listed types only", () => {
  const rules: NetworkRules = { ...open, publicNetwork: { allow: [], deny: ["RESTAPI"] } };
  expect(allowedTypes(rules)).toEqual(["ClientConnection", "ServerConnection", "Trace"]);
});

test("M-30 the documented example admits the two allowed ranges and nothing else", () => {
  const rules: NetworkRules = {
    ...open,
    defaultAction: "deny",
    ipRules: ipRules(["allow", "123.0.0.0/8"], ["allow", "2603::/8"], ["deny", "0.0.0.0/0"], ["deny", "::/0"]),
  };
  expect(decide(rules, "123.1.2.3")).toBe("allowed");
  expect(decide(rules, "2603::1")).toBe("allowed");
  expect(decide(rules, "::ffff:123.1.2.3")).toBe("allowed");
  expect(decide(rules, "8.8.8.8")).toBe("denied");
  expect(decide(rules, "2001::1")).toBe("denied");
});

test("M-31 the first matching IP rule decides", () => {
  const denyFirst = ipRules(["deny", "10.0.0.0/8"], ["allow", "10.1.0.0/16"]);
  expect(decide({ ...open, ipRules: denyFirst }, "10.1.2.3")).toBe("denied");
  expect(decide({ ...open, ipRules: denyFirst.toReversed() }, "10.1.2.3")).toBe("allowed");
});

test("an allowed request type does not override a denied address, nor the reverse", () => {
  const types: NetworkRules = { ...open, publicNetwork: { allow: ["RESTAPI"], deny: ["Trace"] } };
  expect(decide({ ...types, ipRules: ipRules(["deny", "192.0.2.7"]) }, "192.0.2.7", "RESTAPI")).toBe("denied");
  expect(decide({ ...types, ipRules: ipRules(["allow", "192.0.2.7"]) }, "192.0.2.7", "Trace")).toBe("denied");
});

test("a kind of rule that is configured but undecided falls to the default action", () => {
  const rules: NetworkRules = {
    ...open,
    publicNetwork: { allow: ["RESTAPI"], deny: [] },
    ipRules: ipRules(["allow", "10.0.0.0/8"]),
  };
  expect(decide({ ...rules, defaultAction: "deny" }, "10.1.1.1", "RESTAPI")).toBe("allowed");
  expect(decide({ ...rules, defaultAction: "deny" }, "192.0.2.7", "RESTAPI")).toBe("denied");
  expect(decide({ ...rules, defaultAction: "deny" }, "10.1.1.1", "Trace")).toBe("denied");
  expect(decide(rules, "192.0.2.7", "RESTAPI")).toBe("allowed");
});

test("an unreadable address is refused as soon as IP rules exist", () => {
  expect(decide(open, "unknown")).toBe("allowed");
  expect(decide({ ...open, ipRules: ipRules(["deny", "10.0.0.0/8"]) }, "unknown")).toBe("denied");
});

test("a named listener meets its own entry, not the public rules", () => {
  const rules: NetworkRules = {
    ...open,
    publicNetworkAccess: "Disabled",
    defaultAction: "deny",
    privateEndpoints: new Map([["internal", { allow: ["RESTAPI"], deny: [] }]]),
  };
  const on = (listener: string, type: RequestType) =>
    evaluateNetworkAccess(rules, { type, address: "10.0.0.1", listener });
  expect(on("internal", "RESTAPI")).toBe("allowed");
  expect(on("internal", "ClientConnection")).toBe("denied");
  expect(on("other", "RESTAPI")).toBe("denied");
});
