import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type CertificateFiles,
  type LoadedCertificate,
  loadCertificate,
  watchCertificate,
} from "./certificate-files.ts";
import { ensureLocalCertificate } from "./local-ca.ts";

interface Pair {
  readonly cert: string;
  readonly key: string;
}

const now = new Date();
const dayMs = 86_400_000;
let root: string;
let pairs: readonly [Pair, Pair];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tidewire-files-"));
  const make = async (name: string): Promise<Pair> => {
    const result = await ensureLocalCertificate({ dataDir: join(root, name), names: [], now });
    if (!result.ok) throw new Error(result.problem);
    return { cert: result.certificate.certificatePem, key: result.certificate.keyPem };
  };
  pairs = [await make("a"), await make("b")];
});

afterAll(async () => {
  await rm(root, { recursive: true });
});

async function place(pair: Pair): Promise<CertificateFiles> {
  const directory = await mkdtemp(join(root, "case-"));
  const files = { certFile: join(directory, "tls.crt"), keyFile: join(directory, "tls.key") };
  await Promise.all([writeFile(files.certFile, pair.cert), writeFile(files.keyFile, pair.key)]);
  return files;
}

async function problem(files: CertificateFiles): Promise<string> {
  const loaded = await loadCertificate(files, now);
  return loaded.ok ? "ok" : loaded.problem;
}

describe("loading", () => {
  test("a certificate and its key are given back", async () => {
    const loaded = await loadCertificate(await place(pairs[0]), now);
    expect(loaded).toMatchObject({ ok: true, certificatePem: pairs[0].cert, keyPem: pairs[0].key, warnings: [] });
  });

  test("a missing or unreadable file is named", async () => {
    const files = await place(pairs[0]);
    expect(await problem({ ...files, certFile: "/nowhere/tls.crt" })).toBe("no such file: /nowhere/tls.crt");
    expect(await problem({ ...files, keyFile: root })).toBe(`cannot read ${root}: EISDIR`);
  });

  test("content that is no certificate, no key or another certificate's key is named, without showing it", async () => {
    const [first, second] = pairs;
    const noCertificate = await place({ ...first, cert: first.key });
    expect(await problem(noCertificate)).toBe(`no PEM certificate in ${noCertificate.certFile}`);
    const noKey = await place({ ...first, key: first.cert });
    expect(await problem(noKey)).toBe(`no unencrypted PEM private key in ${noKey.keyFile}`);
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const encrypted = privateKey
      .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" })
      .toString();
    expect(await problem(await place({ ...first, key: encrypted }))).toStartWith("no unencrypted PEM private key in ");
    const mixed = await place({ cert: first.cert, key: second.key });
    expect(await problem(mixed)).toBe(
      `the private key in ${mixed.keyFile} does not belong to the certificate in ${mixed.certFile}`,
    );
  });

  test("a chain whose intermediate is damaged or cut off is named, a whole one is taken", async () => {
    const [first, second] = pairs;
    const chain = async (rest: string): Promise<CertificateFiles> => place({ ...first, cert: `${first.cert}${rest}` });
    expect(await problem(await chain(second.cert))).toBe("ok");
    for (const rest of ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", second.cert.slice(0, 200)]) {
      const files = await chain(rest);
      expect(await problem(files)).toBe(`damaged intermediate certificate in ${files.certFile}`);
    }
  });

  test("lifetime only warns", async () => {
    const files = await place(pairs[0]);
    const warning = async (days: number): Promise<string> => {
      const loaded = await loadCertificate(files, new Date(now.getTime() + days * dayMs));
      return loaded.ok ? loaded.warnings.join() : loaded.problem;
    };
    expect(await warning(400)).toMatch(/^the certificate in .*tls\.crt expired on 20/);
    expect(await warning(-1)).toMatch(/ is not valid before 20/);
    expect(await warning(390)).toMatch(/ expires on 20/);
    expect(await warning(300)).toBe("");
  });
});

describe("watching", () => {
  /** Watches and buffers every report from the start. */
  async function observe(files: CertificateFiles, recheckMs = 0) {
    const reports: LoadedCertificate[] = [];
    let wake: () => void = () => undefined;
    const stop = watchCertificate(files, {
      current: await loadCertificate(files, now),
      debounceMs: 20,
      recheckMs,
      now: () => now,
      onChange: (loaded) => {
        reports.push(loaded);
        wake();
      },
    });
    const next = async (): Promise<string> => {
      while (reports.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const loaded = reports.shift();
      return loaded?.ok === true ? loaded.certificatePem : (loaded?.problem ?? "");
    };
    return { next, reports, stop };
  }

  test("a new pair is reported once, also when both files are written one after the other or renamed into place", async () => {
    const files = await place(pairs[0]);
    const { next, reports, stop } = await observe(files);
    await writeFile(files.keyFile, pairs[1].key);
    await writeFile(files.certFile, pairs[1].cert);
    let text = await next();
    while (text.startsWith("the private key")) text = await next(); // a slow writer shows the state between
    expect(text).toBe(pairs[1].cert);
    await Promise.all([
      writeFile(`${files.certFile}.new`, pairs[0].cert),
      writeFile(`${files.keyFile}.new`, pairs[0].key),
    ]);
    await rename(`${files.certFile}.new`, files.certFile);
    await rename(`${files.keyFile}.new`, files.keyFile);
    text = await next();
    while (text.startsWith("the private key")) text = await next();
    expect(text).toBe(pairs[0].cert);
    expect(reports).toEqual([]);
    stop();
  });

  test("a swapped link to another directory is seen, as volumes of secrets are updated", async () => {
    const directory = await mkdtemp(join(root, "volume-"));
    const sources = [await place(pairs[0]), await place(pairs[1])] as const;
    const folder = (files: CertificateFiles): string => join(files.certFile, "..");
    await symlink(folder(sources[0]), join(directory, "data"));
    const files = { certFile: join(directory, "tls.crt"), keyFile: join(directory, "tls.key") };
    await symlink("data/tls.crt", files.certFile);
    await symlink("data/tls.key", files.keyFile);
    const { next, stop } = await observe(files);
    await symlink(folder(sources[1]), join(directory, "data.new"));
    await rename(join(directory, "data.new"), join(directory, "data"));
    expect(await next()).toBe(pairs[1].cert);
    stop();
  });

  test("a problem is reported once and the repair after it", async () => {
    const files = await place(pairs[0]);
    const { next, stop } = await observe(files);
    await writeFile(files.certFile, "damaged");
    expect(await next()).toBe(`no PEM certificate in ${files.certFile}`);
    await writeFile(files.certFile, pairs[0].cert);
    expect(await next()).toBe(pairs[0].cert);
    stop();
  });

  test("a change is found by the interval where no event comes", async () => {
    const files = await place(pairs[0]);
    const elsewhere = await place(pairs[0]);
    const linked = { certFile: `${files.certFile}.link`, keyFile: files.keyFile };
    await symlink(elsewhere.certFile, linked.certFile);
    const { next, stop } = await observe(linked, 10);
    await writeFile(elsewhere.certFile, "damaged");
    expect(await next()).toBe(`no PEM certificate in ${linked.certFile}`);
    stop();
  });

  test("a change between loading and watching is found", async () => {
    const files = await place(pairs[0]);
    const current = await loadCertificate(files, now);
    await writeFile(files.certFile, "damaged");
    const reported = Promise.withResolvers<LoadedCertificate>();
    const stop = watchCertificate(files, {
      current,
      debounceMs: 1,
      recheckMs: 0,
      now: () => now,
      onChange: reported.resolve,
    });
    expect((await reported.promise).ok).toBe(false);
    stop();
  });

  test("reading the same content again reports nothing", async () => {
    const files = await place(pairs[0]);
    const current = await loadCertificate(files, now);
    const first = Promise.withResolvers<LoadedCertificate>();
    const third = Promise.withResolvers<void>();
    let readings = 0;
    const stop = watchCertificate(files, {
      current,
      debounceMs: 1,
      recheckMs: 1,
      now: () => {
        if (++readings === 3) third.resolve();
        return now;
      },
      onChange: first.resolve,
    });
    await third.promise;
    await writeFile(files.certFile, "damaged");
    expect((await first.promise).ok).toBe(false);
    stop();
  });

  test("a reading under way when it is stopped reports nothing", async () => {
    const files = await place({ ...pairs[0], cert: "damaged" });
    const current = await loadCertificate(await place(pairs[0]), now);
    const reports: LoadedCertificate[] = [];
    const reading = Promise.withResolvers<void>();
    const stop = watchCertificate(files, {
      current,
      debounceMs: 1,
      recheckMs: 0,
      now: () => {
        stop();
        reading.resolve();
        return now;
      },
      onChange: (loaded) => reports.push(loaded),
    });
    await reading.promise;
    const fence = await observe(files);
    await writeFile(files.certFile, pairs[0].cert);
    await fence.next();
    expect(reports).toEqual([]);
    fence.stop();
  });

  test("nothing is reported after stop, and stopping twice is harmless", async () => {
    const files = await place(pairs[0]);
    const stopped = await observe(files);
    const fence = await observe(files);
    stopped.stop();
    stopped.stop();
    await writeFile(files.certFile, "damaged");
    await fence.next();
    expect(stopped.reports).toEqual([]);
    fence.stop();
  });
});
