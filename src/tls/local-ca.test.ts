import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureLocalAuthority, ensureLocalCertificate, type LocalCertificate } from "./local-ca.ts";

const dayMs = 86_400_000;
const now = new Date();
const later = (days: number): Date => new Date(now.getTime() + days * dayMs);
const directories: string[] = [];

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "tidewire-tls-"));
  directories.push(directory);
  return directory;
}

async function ensure(dataDir: string, names: readonly string[] = [], at: Date = now): Promise<LocalCertificate> {
  const result = await ensureLocalCertificate({ dataDir, names, now: at });
  if (!result.ok) throw new Error(result.problem);
  return result.certificate;
}

async function files(dataDir: string): Promise<Record<string, string>> {
  const entries = await readdir(join(dataDir, "tls"));
  const texts = await Promise.all(
    entries.sort().map(async (name) => [name, await readFile(join(dataDir, "tls", name), "utf8")] as const),
  );
  return Object.fromEntries(texts);
}

/** Throws unless certificate, key and authority on disk and in the result form a valid chain. */
async function assertChain(certificate: LocalCertificate): Promise<X509Certificate> {
  const leaf = new X509Certificate(certificate.certificatePem);
  const authority = new X509Certificate(await readFile(certificate.authorityFile));
  expect(leaf.checkPrivateKey(createPrivateKey(certificate.keyPem))).toBe(true);
  expect(leaf.checkIssued(authority)).toBe(true);
  expect(leaf.verify(authority.publicKey)).toBe(true);
  return leaf;
}

afterAll(async () => {
  await Promise.all(directories.map((directory) => rm(directory, { recursive: true })));
});

describe("local certificate", () => {
  let dataDir: string;
  let made: LocalCertificate;
  beforeAll(async () => {
    dataDir = await newDirectory();
    made = await ensure(dataDir);
  });

  test("the first call makes an authority of 10 years and a server certificate of at most 397 days", async () => {
    expect(made.made).toBe("newAuthority");
    const leaf = await assertChain(made);
    const authority = new X509Certificate(await readFile(made.authorityFile));
    expect(authority.ca).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(leaf.serialNumber).not.toBe(authority.serialNumber);
    const days = (certificate: X509Certificate) =>
      (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / dayMs;
    expect(days(authority)).toBe(3650);
    expect(days(leaf)).toBeLessThanOrEqual(397);
    expect(made.expires).toEqual(new Date(leaf.validTo));
  });

  test("it names localhost and both loopback addresses", () => {
    const leaf = new X509Certificate(made.certificatePem);
    expect(leaf.checkHost("localhost")).toBe("localhost");
    for (const address of ["127.0.0.1", "::1"]) expect(leaf.checkIP(address)).toBeDefined();
    expect(leaf.checkHost("example.com")).toBeUndefined();
  });

  test("only the four files are left and the keys are readable by their owner only", async () => {
    expect(Object.keys(await files(dataDir))).toEqual(["ca.key", "ca.pem", "localhost.key", "localhost.pem"]);
    for (const name of ["ca.key", "localhost.key"])
      expect((await stat(join(dataDir, "tls", name))).mode & 0o777).toBe(0o600);
  });

  test("a second call changes nothing", async () => {
    const before = await files(dataDir);
    const again = await ensure(dataDir, ["LOCALHOST", "127.0.0.1"]);
    expect(again).toEqual({ ...made, made: "kept" });
    expect(await files(dataDir)).toEqual(before);
  });

  test("a Node client that trusts the authority file accepts a server using it, by name and by address", async () => {
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      tls: { cert: made.certificatePem, key: made.keyPem },
      fetch: () => new Response("hello"),
    });
    const script = `
      const { connect } = require("node:tls");
      const dial = (options) => new Promise((done) => {
        const socket = connect({ host: "127.0.0.1", port: ${server.port}, ...options });
        socket.on("secureConnect", () => { done(socket.authorized); socket.destroy(); }).on("error", (error) => done(error.code));
      });
      Promise.all([dial({ servername: "localhost" }), dial({}), dial({ servername: "example.com" })])
        .then((results) => console.log(JSON.stringify(results)));`;
    const node = join(import.meta.dir, "../../node_modules/.bin/node");
    const run = async (env: Record<string, string>): Promise<unknown> => {
      const child = Bun.spawn([node, "-e", script], { env, stdout: "pipe", stderr: "pipe" });
      const [text, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
      expect(errors).toBe("");
      return JSON.parse(text) as unknown;
    };
    const path = { PATH: "/usr/bin:/bin" };
    expect(await run({ ...path, NODE_EXTRA_CA_CERTS: made.authorityFile })).toEqual([
      true,
      true,
      "ERR_TLS_CERT_ALTNAME_INVALID",
    ]);
    expect(await run(path)).toEqual(Array.from({ length: 3 }, () => "UNABLE_TO_VERIFY_LEAF_SIGNATURE"));
  });
});

test("the certificate is renewed 30 days before its end, authority and key are kept", async () => {
  const dataDir = await newDirectory();
  const first = await ensure(dataDir);
  const before = await files(dataDir);
  expect((await ensure(dataDir, [], later(365))).made).toBe("kept");
  const renewed = await ensure(dataDir, [], later(367));
  expect(renewed.made).toBe("newCertificate");
  expect(renewed.expires.getTime()).toBeGreaterThan(first.expires.getTime());
  await assertChain(renewed);
  const after = await files(dataDir);
  expect({ ...after, "localhost.pem": "" }).toEqual({ ...before, "localhost.pem": "" });
});

test("the authority is made again, of the same key, when it would end before a new certificate", async () => {
  const dataDir = await newDirectory();
  const first = await ensure(dataDir);
  const before = await files(dataDir);
  const renewed = await ensure(dataDir, [], later(3300));
  expect(renewed.made).toBe("newAuthority");
  await assertChain(renewed);
  const after = await files(dataDir);
  expect(after["ca.key"]).toBe(before["ca.key"] ?? "");
  expect(after["ca.pem"]).not.toBe(before["ca.pem"] ?? "");
  // Interchangeable: what the first authority signed also verifies with the second.
  expect(new X509Certificate(first.certificatePem).checkIssued(new X509Certificate(after["ca.pem"] ?? ""))).toBe(true);
});

test("other names make another certificate of the same authority", async () => {
  const dataDir = await newDirectory();
  await ensure(dataDir);
  const named = await ensure(dataDir, ["PubSub.example.com", "*.apps.example", "10.0.0.5", "[2001:db8::1]"]);
  expect(named.made).toBe("newCertificate");
  const leaf = await assertChain(named);
  for (const name of ["pubsub.example.com", "a.apps.example", "localhost"]) expect(leaf.checkHost(name)).toBeDefined();
  for (const address of ["10.0.0.5", "2001:db8::1", "::1"]) expect(leaf.checkIP(address)).toBeDefined();
  expect((await ensure(dataDir, ["10.0.0.5", "2001:db8:0::1", "pubsub.example.com", "*.apps.example"])).made).toBe(
    "kept",
  );
  expect((await ensure(dataDir)).made).toBe("newCertificate");
});

test("asking for the authority alone gives its certificate and leaves the server certificate as it is", async () => {
  const dataDir = await newDirectory();
  const names = ["pubsub.example.com"];
  const { authorityFile } = await ensure(dataDir, names);
  const pem = await readFile(authorityFile, "utf8");
  expect(await ensureLocalAuthority({ dataDir, now })).toEqual({ ok: true, authorityFile, pem });
  expect((await ensure(dataDir, names)).made).toBe("kept");
});

test("a name that is none is a fault and writes nothing", async () => {
  const dataDir = await newDirectory();
  expect(await ensureLocalCertificate({ dataDir, names: ["bad name"], now })).toEqual({
    ok: false,
    problem: 'not a host name or IP address for the local certificate: "bad name"',
  });
  expect(await readdir(dataDir)).toEqual([]);
});

test("damaged or foreign certificates are made again, a damaged key is a fault and stays", async () => {
  const dataDir = await newDirectory();
  await ensure(dataDir);
  const path = (name: string) => join(dataDir, "tls", name);
  await writeFile(path("localhost.pem"), "damaged");
  expect((await ensure(dataDir)).made).toBe("newCertificate");
  const foreign = await newDirectory();
  await ensure(foreign);
  await writeFile(path("localhost.pem"), await readFile(join(foreign, "tls", "localhost.pem")));
  expect((await ensure(dataDir)).made).toBe("newCertificate");
  await writeFile(path("ca.pem"), await readFile(join(foreign, "tls", "ca.pem")));
  const repaired = await ensure(dataDir);
  expect(repaired.made).toBe("newAuthority");
  await assertChain(repaired);
  for (const name of ["ca.key", "localhost.key"]) {
    const good = await readFile(path(name), "utf8");
    await writeFile(path(name), "damaged");
    const result = await ensureLocalCertificate({ dataDir, names: [], now });
    expect(result.ok ? "" : result.problem).toStartWith(`${path(name)} is not an EC P-256 private key`);
    expect(await readFile(path(name), "utf8")).toBe("damaged");
    await writeFile(path(name), good);
  }
});

test("a certificate of an authority that was replaced is made again", async () => {
  const [dataDir, foreign] = [await newDirectory(), await newDirectory()];
  await Promise.all([ensure(dataDir), ensure(foreign)]);
  for (const name of ["ca.key", "ca.pem"]) await cp(join(foreign, "tls", name), join(dataDir, "tls", name));
  const made = await ensure(dataDir);
  expect(made.made).toBe("newCertificate");
  await assertChain(made);
});

test("a data directory that cannot be used is a fault", async () => {
  const dataDir = await newDirectory();
  await writeFile(join(dataDir, "tls"), "a file");
  const result = await ensureLocalCertificate({ dataDir, names: [], now });
  expect(result.ok ? "" : result.problem).toMatch(/^cannot keep the local certificate in .*tls: E\w+$/);
});

test("processes starting at once get one authority and valid chains each", async () => {
  const dataDir = await newDirectory();
  const module = join(import.meta.dir, "local-ca.ts");
  const script = `
    const { ensureLocalCertificate } = await import(${JSON.stringify(module)});
    const result = await ensureLocalCertificate({ dataDir: ${JSON.stringify(dataDir)}, names: [], now: new Date() });
    console.log(JSON.stringify(result));`;
  const results = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const text = await Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" }).stdout.text();
      return JSON.parse(text) as { readonly ok: true; readonly certificate: LocalCertificate };
    }),
  );
  for (const { certificate } of results) await assertChain(certificate);
  expect(new Set(results.map(({ certificate }) => certificate.keyPem)).size).toBe(1);
  expect(Object.keys(await files(dataDir))).toEqual(["ca.key", "ca.pem", "localhost.key", "localhost.pem"]);
  expect((await ensure(dataDir)).made).toBe("kept");
});
