import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { errorCode } from "./atomic-file.ts";

/** Where an operator keeps a certificate (with its intermediates) and its key, both PEM. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Outcome of reading them. Warnings do not prevent serving; `problem` and warnings are one line each, naming the file. */
export type LoadedCertificate =
  | {
      readonly ok: true;
      readonly certificatePem: string;
      readonly keyPem: string;
      readonly expires: Date;
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problem: string };

/** How files are watched. */
export interface WatchOptions {
  /** What {@link loadCertificate} gave before; only what differs from it is reported. */
  readonly current: LoadedCertificate;
  readonly onChange: (loaded: LoadedCertificate) => void;
  /** Quiet time after the last event before reading: certificate and key are written one after the other. */
  readonly debounceMs: number;
  /** Also read at this interval, for file systems that report no changes. 0: never. */
  readonly recheckMs: number;
  readonly now: () => Date;
}

const expiresSoonMs = 14 * 86_400_000;

/**
 * Reads a certificate and its key and checks that they can serve: all of both parses, the key belongs to the first
 * certificate of the file. An expired, not yet valid or soon expiring certificate is a warning: clients decide, and refusing to start
 * would be worse. Never rejects.
 */
export async function loadCertificate(files: CertificateFiles, now: Date): Promise<LoadedCertificate> {
  const [certificatePem, keyPem] = await Promise.all([readPem(files.certFile), readPem(files.keyFile)]);
  if (!certificatePem.ok) return certificatePem;
  if (!keyPem.ok) return keyPem;

  const [certificate, ...intermediates] = certificatesOf(certificatePem.text);
  if (certificate === undefined || certificate === null) return problem(`no PEM certificate in ${files.certFile}`);
  if (intermediates.includes(null)) return problem(`damaged intermediate certificate in ${files.certFile}`);
  const key = parse((): KeyObject => createPrivateKey(keyPem.text));
  if (key === null) return problem(`no unencrypted PEM private key in ${files.keyFile}`);
  if (!certificate.checkPrivateKey(key)) {
    return problem(`the private key in ${files.keyFile} does not belong to the certificate in ${files.certFile}`);
  }
  return {
    ok: true,
    certificatePem: certificatePem.text,
    keyPem: keyPem.text,
    expires: new Date(certificate.validTo),
    warnings: lifetimeWarnings(certificate, { file: files.certFile, now }),
  };
}

/**
 * Watches both files and reports each new content once: a usable pair that differs from the last one, or the problem that a
 * changed pair has. Also finds a change made between the first loading and this call. Directories are watched and not files, so that renames
 * and swapped links are seen. Returns a function that stops it, after which nothing is reported; calling it again is harmless.
 */
export function watchCertificate(files: CertificateFiles, options: WatchOptions): () => void {
  let isStopped = false;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let reading: Promise<string> = Promise.resolve(contentKey(options.current));

  /** One reading at a time, so that reports come in the order of the changes. */
  async function readAfter(previous: Promise<string>): Promise<string> {
    const last = await previous;
    const loaded = await loadCertificate(files, options.now());
    const current = contentKey(loaded);
    if (current !== last && !isStopped) options.onChange(loaded);
    return current;
  }
  const recheck = (): void => {
    reading = readAfter(reading);
  };
  const schedule = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = isStopped ? null : setTimeout(recheck, options.debounceMs);
  };

  const directories = new Set([dirname(files.certFile), dirname(files.keyFile)]);
  const watchers = [...directories].flatMap((directory) => {
    const watcher = parse(() => watch(directory, { persistent: false }, schedule));
    watcher?.on("error", schedule); // the directory went away: the interval goes on
    return watcher === null ? [] : [watcher];
  });
  const interval = options.recheckMs > 0 ? setInterval(recheck, options.recheckMs) : null;
  interval?.unref();
  schedule();

  return () => {
    isStopped = true;
    if (timer !== null) clearTimeout(timer);
    if (interval !== null) clearInterval(interval);
    for (const watcher of watchers) watcher.close();
  };
}

/** The certificates of a file in order; null for one that does not parse, cut off in the middle for instance. */
function certificatesOf(pem: string): (X509Certificate | null)[] {
  const blocks = pem.split(/(?=^-----BEGIN [A-Z0-9 ]*CERTIFICATE-----)/m).filter((block) => block.startsWith("-----"));
  return blocks.map((block) => parse(() => new X509Certificate(block)));
}

function contentKey(loaded: LoadedCertificate): string {
  return loaded.ok ? `${loaded.certificatePem}\n${loaded.keyPem}` : loaded.problem;
}

function lifetimeWarnings(
  certificate: X509Certificate,
  context: { readonly file: string; readonly now: Date },
): readonly string[] {
  const now = context.now.getTime();
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  if (to <= now) return [`the certificate in ${context.file} expired on ${new Date(to).toISOString()}`];
  if (from > now) return [`the certificate in ${context.file} is not valid before ${new Date(from).toISOString()}`];
  if (to - now < expiresSoonMs) return [`the certificate in ${context.file} expires on ${new Date(to).toISOString()}`];
  return [];
}

async function readPem(
  path: string,
): Promise<{ readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string }> {
  try {
    return { ok: true, text: await readFile(path, "utf8") };
  } catch (error) {
    const code = errorCode(error);
    if (code === null) throw error;
    return problem(code === "ENOENT" ? `no such file: ${path}` : `cannot read ${path}: ${code}`);
  }
}

/** For the library calls that tell "not one" by throwing. */
function parse<T>(make: () => T): T | null {
  try {
    return make();
  } catch {
    return null; // the caller names the file
  }
}

function problem(text: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: text };
}
