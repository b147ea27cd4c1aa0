import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createFileOnce, errorCode, readTextIfPresent, replaceFile } from "./atomic-file.ts";
import { type CertificateName, namesKey, parseCertificateName, parseSubjectAltName } from "./certificate-names.ts";
import type * as Issuer from "./issue-certificate.ts";

/** What a local certificate is made for. */
export interface LocalCertificateOptions {
  /** The files go to `tls/` below it. */
  readonly dataDir: string;
  /** Host names or IP addresses besides `localhost`, `127.0.0.1` and `::1`. */
  readonly names: readonly string[];
  readonly now: Date;
}

/** A usable local certificate. The texts belong together even while another process renews the files. */
export interface LocalCertificate {
  /** Certificate of the local authority, for `NODE_EXTRA_CA_CERTS` and trust stores. */
  readonly authorityFile: string;
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly expires: Date;
  /** `kept`: nothing was written. `newAuthority`: whoever trusted the old authority has to trust this one now. */
  readonly made: "kept" | "newCertificate" | "newAuthority";
}

/** Outcome; `problem` is one line for the operator, naming the file or name. */
export type LocalCertificateResult =
  | { readonly ok: true; readonly certificate: LocalCertificate }
  | { readonly ok: false; readonly problem: string };

const authorityFileName = "ca.pem";
const dayMs = 86_400_000;
/** Ours: outlives most installations, so that trusting it is done once. */
const authorityDays = 3650;
/** Browsers refuse server certificates of more than 398 days; kept below. */
const leafDays = 396;
const renewBeforeDays = 30;
/** Certificates start in the past, for clients whose clock is behind. */
const backdateMs = 3_600_000;
const alwaysNamed = ["localhost", "127.0.0.1", "::1"];

interface Authority {
  readonly keyPem: string;
  readonly key: KeyObject;
  readonly certificate: X509Certificate;
  readonly isNew: boolean;
}

/**
 * Makes sure that `dataDir/tls` holds a local authority (`ca.pem`, `ca.key`) and a server certificate signed by it
 * (`localhost.pem`, `localhost.key`) for all names, and gives it back. Keys are readable by their owner only.
 *
 * Keys are made once and kept; a certificate is made again when it is missing, damaged, made for other names, of another
 * key, or within 30 days of its end. Safe when several processes do this at once: the first key of a kind wins, and any
 * certificate made of the same keys serves as well as another. A damaged key is a fault and is left alone, because a new
 * one would silently void the trust given to the old one.
 */
export async function ensureLocalCertificate(options: LocalCertificateOptions): Promise<LocalCertificateResult> {
  const names: CertificateName[] = [];
  for (const text of [...alwaysNamed, ...options.names]) {
    const name = parseCertificateName(text);
    if (name === null)
      return { ok: false, problem: `not a host name or IP address for the local certificate: ${JSON.stringify(text)}` };
    if (!names.some(({ value }) => value === name.value)) names.push(name);
  }

  return withAuthority(options, async (authority, directory) =>
    ensureLeaf(directory, { authority, names, now: options.now }),
  );
}

/** Outcome of `ensureLocalAuthority`. */
export type LocalAuthorityResult =
  | { readonly ok: true; readonly authorityFile: string; readonly pem: string }
  | { readonly ok: false; readonly problem: string };

/**
 * Makes sure of the local authority alone, as `ensureLocalCertificate` does, and gives back its certificate. The server
 * certificate is left as it is: only the service knows all its names.
 */
export async function ensureLocalAuthority(
  options: Omit<LocalCertificateOptions, "names">,
): Promise<LocalAuthorityResult> {
  return withAuthority(options, async ({ certificate }, directory) => ({
    ok: true,
    authorityFile: join(directory, authorityFileName),
    pem: certificate.toString(),
  }));
}

async function withAuthority<Result>(
  options: Omit<LocalCertificateOptions, "names">,
  use: (authority: Authority, directory: string) => Promise<Result>,
): Promise<Result | { readonly ok: false; readonly problem: string }> {
  const directory = join(options.dataDir, "tls");
  try {
    await mkdir(directory, { recursive: true });
    const authority = await ensureAuthority(directory, options.now);
    return typeof authority === "string" ? { ok: false, problem: authority } : await use(authority, directory);
  } catch (error) {
    const code = errorCode(error);
    if (code === null) throw error;
    return { ok: false, problem: `cannot keep the local certificate in ${directory}: ${code}` };
  }
}

/** Resolves with a problem instead of an authority when its key is damaged. */
async function ensureAuthority(directory: string, now: Date): Promise<Authority | string> {
  const keyFile = join(directory, "ca.key");
  const certificateFile = join(directory, authorityFileName);
  const keyPem = await ensureKey(keyFile);
  const key = parseKey(keyPem);
  if (key === null) return damagedKey(keyFile);

  const present = parseCertificate(await readTextIfPresent(certificateFile));
  const neededUntil = now.getTime() + leafDays * dayMs;
  if (present?.ca === true && present.checkPrivateKey(key) && isValidUntil(present, now, neededUntil)) {
    return { keyPem, key, certificate: present, isNew: false };
  }
  const { issueAuthority } = await loadIssuer();
  const pem = await issueAuthority(keyPem, validity(now, authorityDays));
  await replaceFile(certificateFile, pem, 0o644);
  return { keyPem, key, certificate: new X509Certificate(pem), isNew: true };
}

async function ensureLeaf(
  directory: string,
  wanted: { readonly authority: Authority; readonly names: readonly CertificateName[]; readonly now: Date },
): Promise<LocalCertificateResult> {
  const { authority, names, now } = wanted;
  const certificateFile = join(directory, "localhost.pem");
  const keyFile = join(directory, "localhost.key");
  const keyPem = await ensureKey(keyFile);
  const key = parseKey(keyPem);
  if (key === null) return { ok: false, problem: damagedKey(keyFile) };

  const give = (pem: string, made: LocalCertificate["made"]): LocalCertificateResult => ({
    ok: true,
    certificate: {
      authorityFile: join(directory, authorityFileName),
      certificatePem: pem,
      keyPem,
      expires: new Date(new X509Certificate(pem).validTo),
      made,
    },
  });

  const presentPem = await readTextIfPresent(certificateFile);
  const present = parseCertificate(presentPem);
  const isUsable =
    present !== null &&
    present.checkPrivateKey(key) &&
    present.verify(authority.certificate.publicKey) &&
    namesKey(parseSubjectAltName(present.subjectAltName)) === namesKey(names) &&
    isValidUntil(present, now, now.getTime() + renewBeforeDays * dayMs);
  if (isUsable && presentPem !== null) return give(presentPem, authority.isNew ? "newAuthority" : "kept");

  const { issueLeaf } = await loadIssuer();
  const pem = await issueLeaf({
    authorityKeyPem: authority.keyPem,
    leafKeyPem: keyPem,
    names,
    ...validity(now, leafDays),
  });
  await replaceFile(certificateFile, pem, 0o644);
  return give(pem, authority.isNew ? "newAuthority" : "newCertificate");
}

/** Loads the X.509 library only when something must be made: it costs 70 ms and 20 MB, which a normal start does not pay. */
async function loadIssuer(): Promise<typeof Issuer> {
  return import("./issue-certificate.ts");
}

async function ensureKey(path: string): Promise<string> {
  const present = await readTextIfPresent(path);
  if (present !== null) return present;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return createFileOnce(path, privateKey.export({ type: "pkcs8", format: "pem" }).toString(), 0o600);
}

function parseKey(pem: string): KeyObject | null {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1" ? key : null;
  } catch {
    return null; // not a key: the caller names the file
  }
}

function parseCertificate(pem: string | null): X509Certificate | null {
  if (pem === null) return null;
  try {
    return new X509Certificate(pem);
  } catch {
    return null; // damaged: it is made again
  }
}

function isValidUntil(certificate: X509Certificate, now: Date, untilMs: number): boolean {
  return Date.parse(certificate.validFrom) <= now.getTime() && Date.parse(certificate.validTo) >= untilMs;
}

function validity(now: Date, days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  const notBefore = new Date(now.getTime() - backdateMs);
  return { notBefore, notAfter: new Date(notBefore.getTime() + days * dayMs) };
}

function damagedKey(path: string): string {
  return `${path} is not an EC P-256 private key; restore it, or delete the directory to make a new local authority`;
}
