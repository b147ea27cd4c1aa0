import { linkSync, mkdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The access key that the official emulator publishes; whoever uses it has no secret (management 3.1). */
export const developmentKey = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH";

/** Below 32 bytes the Java and .NET SDKs refuse to sign (rest-api 4.2). */
const minKeyBytes = 32;
const generatedKeyLength = 64;
const keyAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const accessKeyFile: KeptSecret = { fileName: "access-key", what: "access key" };

/**
 * What is wrong with an access key, or null. Everything Azure generates passes, `+`, `/` and `=` included.
 * @spec M-4 M-5
 */
export function checkAccessKey(key: string): string | null {
  if (key.trim() !== key) return "must not begin or end with white space";
  if (key.includes(";")) return "must not contain a semicolon";
  if (/\p{Cc}/u.test(key)) return "must not contain control characters";
  if (!key.isWellFormed()) return "must be valid Unicode";
  return new TextEncoder().encode(key).length < minKeyBytes ? `must be at least ${minKeyBytes} bytes long` : null;
}

/** A new access key: 64 random letters and digits. */
export function generateAccessKey(): string {
  const fair = 256 - (256 % keyAlphabet.length);
  let key = "";
  while (key.length < generatedKeyLength) {
    for (const byte of crypto.getRandomValues(new Uint8Array(generatedKeyLength))) {
      if (byte < fair && key.length < generatedKeyLength) key += keyAlphabet.charAt(byte % keyAlphabet.length);
    }
  }
  return key;
}

export type StoredKey =
  | { readonly ok: true; readonly key: string; readonly file: string; readonly warning: string | null }
  | { readonly ok: false; readonly message: string };

/** A secret of the installation that is generated once and kept in the data folder. */
export interface KeptSecret {
  readonly fileName: string;
  /** As messages call it. */
  readonly what: string;
}

/**
 * A secret of this installation, its access key unless told otherwise: read from the data folder, or generated and kept
 * there (file mode 0600, folder 0700).
 *
 * Two services that start at once on a new folder agree on one key. A damaged file is reported, never replaced: its key
 * may be in use. Messages never repeat the key. In a trial nothing is written, and a key that is not there is made up.
 * @spec M-11
 */
export function readOrCreateKey(
  dataDir: string,
  { secret = accessKeyFile, isTrial = false }: { readonly secret?: KeptSecret; readonly isTrial?: boolean } = {},
): StoredKey {
  const { fileName, what } = secret;
  const file = join(dataDir, fileName);
  try {
    const existing = readIfPresent(file);
    if (existing !== null) return storedKey(file, existing, what);
    if (isTrial) return { ok: true, key: generateAccessKey(), file, warning: null };
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const draft = join(dataDir, `.${fileName}-${crypto.randomUUID()}`);
    writeFileSync(draft, `${generateAccessKey()}\n`, { mode: 0o600, flag: "wx", flush: true });
    try {
      linkSync(draft, file);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    } finally {
      unlinkSync(draft);
    }
    return storedKey(file, readFileSync(file, "utf8"), what);
  } catch (error) {
    return { ok: false, message: `cannot keep the ${what} in ${file} (${codeOf(error)})` };
  }
}

function storedKey(file: string, content: string, what: string): StoredKey {
  const key = content.replace(/\r?\n$/, "");
  const fault = checkAccessKey(key);
  if (fault !== null) return { ok: false, message: `the ${what} in ${file} ${fault}` };
  const isOpen = process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0;
  return { ok: true, key, file, warning: isOpen ? `${file} can be read by other users; set its mode to 600` : null };
}

function readIfPresent(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** The system's error code of a failed file operation, for messages. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown error";
}
