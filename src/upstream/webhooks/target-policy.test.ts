import { expect, test } from "bun:test";
import type { TargetPolicy } from "../settings.ts";
import { createTargetGuard, refuseAddress } from "./target-policy.ts";

const open: TargetPolicy = { allowLoopback: true, allowPrivate: true, allowedHosts: [] };
const closed: TargetPolicy = { allowLoopback: false, allowPrivate: false, allowedHosts: [] };

test.each([
  "169.254.169.254",
  "169.254.0.1",
  "100.100.100.200",
  "168.63.129.16",
  "192.0.0.192",
  "224.0.0.1",
  "255.255.255.255",
  "fe80::1",
  "febf::1%eth0",
  "fd00:ec2::254",
  "ff02::1",
  "::ffff:169.254.169.254",
  "::ffff:a9fe:a9fe",
  "64:ff9b::a9fe:a9fe",
  "64:ff9b:1::a9fe:a9fe",
  "2002:a9fe:a9fe::1",
  "::a9fe:a9fe",
  "not an address",
])("H-53 %p is refused whatever the policy allows", (address) => {
  expect(refuseAddress(open, address)).not.toBeNull();
});

test.each(["127.0.0.1", "127.9.9.9", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"])(
  "H-53 %p counts as loopback",
  (address) => {
    expect(refuseAddress(open, address)).toBeNull();
    expect(refuseAddress(closed, address)).toBe("loopback addresses are not allowed");
  },
);

test.each([
  "10.0.0.1",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "100.64.0.1",
  "198.18.0.1",
  "fc00::1",
  "fd12::1",
  "fec0::1",
  "::ffff:10.0.0.1",
])("H-53 %p counts as private", (address) => {
  expect(refuseAddress(open, address)).toBeNull();
  expect(refuseAddress(closed, address)).toBe("private addresses are not allowed");
});

test.each(["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1", "2002:808:808::1"])(
  "H-53 %p is public",
  (address) => {
    expect(refuseAddress(closed, address)).toBeNull();
  },
);

test("H-53 an address in the URL is judged without a resolver, a name by the list of hosts", () => {
  const guard = createTargetGuard({ ...closed, allowedHosts: ["app.example.com", "*.Hooks.example.com", "10.0.0.1"] });
  expect(guard.refusal("APP.example.com")).toBeNull();
  expect(guard.refusal("a.hooks.example.com")).toBeNull();
  expect(guard.refusal("hooks.example.com")).not.toBeNull();
  expect(guard.refusal("evilhooks.example.com")).not.toBeNull();
  expect(guard.refusal("10.0.0.1")).toBe("private addresses are not allowed");
});

type Answer = { readonly error: NodeJS.ErrnoException | null; readonly addresses: unknown };

async function lookup(
  policy: TargetPolicy,
  addresses: readonly string[],
  options: { all?: boolean; family?: number } = {},
): Promise<Answer> {
  const guard = createTargetGuard(policy, async () =>
    addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
  );
  return await new Promise((resolve) =>
    guard.lookup("h.example", options, (error, found) => resolve({ error, addresses: found })),
  );
}

test("H-53 only checked addresses of a name are used; a name with none is refused", async () => {
  const mixed = await lookup(closed, ["169.254.169.254", "10.0.0.1", "8.8.8.8", "2606:4700::1"], { all: true });
  expect(mixed.addresses).toEqual([
    { address: "8.8.8.8", family: 4 },
    { address: "2606:4700::1", family: 6 },
  ]);
  expect((await lookup(closed, ["10.0.0.1", "8.8.8.8", "2606:4700::1"], { family: 6 })).addresses).toBe("2606:4700::1");
  expect((await lookup(closed, ["10.0.0.1"])).error?.code).toBe("TARGET_REFUSED");
  expect((await lookup(closed, [])).error?.code).toBe("ENOTFOUND");
});
