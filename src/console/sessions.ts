import { randomBytes } from "node:crypto";
import { digestSecret, matchesDigest } from "../auth/secret-digest.ts";

/** Browsers that stay signed in at a time; the oldest makes room. Ours. */
const maxSessions = 100;
const sessionSeconds = 12 * 3600;

/** What a browser needs to be recognised: both halves, each useless without the other. */
export interface SignedIn {
  /** The cookie to set; no script reads it. */
  readonly cookie: string;
  /** For the page to keep and to send with every request; no other origin has it, other ports of this host included. */
  readonly key: string;
}

/** Who is signed in to the console. Sessions live as long as the process; nothing is written anywhere. */
export interface Sessions {
  /** Starts a session for whoever knows one of the secrets, or null. */
  signIn(secret: string): SignedIn | null;
  /** Whether a `Cookie` header and a key belong to the same session. */
  has(cookieHeader: string | null, key: string | null): boolean;
  /** Ends the session of a `Cookie` header; the cookie that makes the browser forget it. */
  signOut(cookieHeader: string | null): string;
}

export interface SessionOptions {
  /** The administration token, and the one of the sign-in link. */
  readonly secrets: readonly string[];
  /** Tells the cookies of several services on one host apart: cookies know no ports, and all of them get it. */
  readonly port: () => number;
  readonly now: () => number;
}

/**
 * Creates the sessions of one console. A cookie is `HttpOnly` and `SameSite=Strict`, and good for 12 hours; what it holds is
 * random and compared by hash, so that neither a page nor a timing learns it. Since browsers send it to every port of the host,
 * whoever listens on another one would have the session; the key, which stays with the page's origin, keeps it from being enough.
 * @spec H-55
 */
export function createSessions({ secrets, port, now }: SessionOptions): Sessions {
  const accepted = secrets.map(digestSecret);
  /** By digest of the cookie's value, oldest first. */
  const sessions = new Map<string, { readonly expiry: number; readonly key: Buffer }>();
  const name = (): string => `tidewire-console-${port()}`;
  const cookie = (value: string, maxAge: number): string =>
    `${name()}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict`;
  const idOf = (header: string | null): string | null => {
    const value = readCookie(header ?? "", name());
    return value === null ? null : digestSecret(value).toString("base64");
  };
  return {
    signIn(secret) {
      // Every secret is compared, so that the time does not tell which one was close.
      const matches = accepted.filter((expected) => matchesDigest(secret, expected));
      if (matches.length === 0) return null;
      const [value, key] = [random(), random()];
      const [oldest] = sessions.keys();
      if (sessions.size >= maxSessions && oldest !== undefined) sessions.delete(oldest);
      const expiry = now() + sessionSeconds * 1000;
      sessions.set(digestSecret(value).toString("base64"), { expiry, key: digestSecret(key) });
      return { cookie: cookie(value, sessionSeconds), key };
    },
    has(header, key) {
      const id = idOf(header);
      const session = id === null ? undefined : sessions.get(id);
      if (id === null || session === undefined) return false;
      if (session.expiry > now()) return key !== null && matchesDigest(key, session.key);
      sessions.delete(id);
      return false;
    },
    signOut(header) {
      const id = idOf(header);
      if (id !== null) sessions.delete(id);
      return cookie("", 0);
    },
  };
}

const random = (): string => randomBytes(32).toString("base64url");

function readCookie(header: string, name: string): string | null {
  for (const part of header.split(";")) {
    const [key = "", value = ""] = part.trim().split("=", 2);
    if (key === name && value !== "") return value;
  }
  return null;
}
