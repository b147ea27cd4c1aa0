import { expect, test } from "bun:test";
import { formatTrustCommand, planTrust, type TrustHost } from "./trust.ts";

const host: TrustHost = {
  platform: "linux",
  isRoot: true,
  homeDir: "/home/ann",
  hasUpdateCaCertificates: false,
  hasUpdateCaTrust: false,
};
const file = "/var/lib/tidewire/tls/ca.pem";
const lines = (changed: Partial<TrustHost>, path = file) => {
  const plan = planTrust(path, { ...host, ...changed });
  return { canRun: plan.canRun, lines: plan.commands.map(formatTrustCommand) };
};

test("Debian and Fedora stores are filled by root and shown with sudo to others", () => {
  expect(lines({ hasUpdateCaCertificates: true })).toEqual({
    canRun: true,
    lines: [
      `install -m 0644 ${file} /usr/local/share/ca-certificates/tidewire-local-authority.crt`,
      "update-ca-certificates",
    ],
  });
  expect(lines({ hasUpdateCaTrust: true, isRoot: false })).toEqual({
    canRun: false,
    lines: [
      `sudo install -m 0644 ${file} /etc/pki/ca-trust/source/anchors/tidewire-local-authority.crt`,
      "sudo update-ca-trust",
    ],
  });
});

test("macOS and Windows use the user's own store", () => {
  expect(lines({ platform: "darwin", isRoot: false })).toEqual({
    canRun: true,
    lines: [`security add-trusted-cert -r trustRoot -k /home/ann/Library/Keychains/login.keychain-db ${file}`],
  });
  expect(lines({ platform: "win32", isRoot: false }).lines).toEqual([`certutil -user -addstore Root ${file}`]);
});

test("an unknown system gets no command but a word where the file is", () => {
  const plan = planTrust(file, host);
  expect(plan.canRun).toBe(false);
  expect(plan.commands).toEqual([]);
  expect(plan.notes[0]).toContain(file);
});

test("every plan says what Node.js needs", () => {
  for (const platform of ["linux", "darwin", "win32"]) {
    expect(planTrust(file, { ...host, platform }).notes.join("\n")).toContain(`export NODE_EXTRA_CA_CERTS=${file}`);
  }
});

test("paths with special characters are quoted for the shell", () => {
  expect(formatTrustCommand({ program: "ls", args: ["/a b/it's"] })).toBe(`ls '/a b/it'\\''s'`);
});
