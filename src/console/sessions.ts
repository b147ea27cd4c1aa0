import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** Browsers that stay signed in at a time; the oldest makes room. Ours. */
const maxSessions = 100;
const sessionSeconds = 12 * 3600;

/** Who is signed in to the console. Sessions live as long as the process; nothing is written anywhere. */
export interface Sessions {
  /** Starts a session for whoever knows one of the secrets; the cookie to set, or null. */
  signIn(secret: string): string | null;
  /** Whether a `Cookie` header belongs to a session. */
  has(cookieHeader: string | null): boolean;
  /** Ends the session of a `Cookie` header; the cookie that makes the browser forget it. */
  signOut(cookieHeader: string | null): string;
}

export interface SessionOptions {
  /** The administration token, and the one of the sign-in link. */
  readonly secrets: readonly string[];
  /** Tells the cookies of several services on one host apart: cookies know no ports. */
  readonly port: () => number;
  readonly now: () => number;
}

/**
 * Creates the sessions of one console. A cookie is `HttpOnly` and `SameSite=Strict`, and good for 12 hours; what it holds is
 * random and compared by hash, so that neither a page nor a timing learns it.
 * @spec H-55
 */
export function createSessions({ secrets, port, now }: SessionOptions): Sessions {
  const accepted = secrets.map(digest);
  /** Expiry by digest of the cookie's value, oldest first. */
  const sessions = new Map<string, number>();
  const name = (): string => `tidewire-console-${port()}`;
  const cookie = (value: string, maxAge: number): string =>
    `${name()}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict`;
  const keyOf = (header: string | null): string | null => {
    const value = readCookie(header ?? "", name());
    return value === null ? null : digest(value).toString("base64");
  };
  return {
    signIn(secret) {
      const given = digest(secret);
      // Every secret is compared, so that the time does not tell which one was close.
      const matches = accepted.filter((expected) => timingSafeEqual(given, expected));
      if (matches.length === 0) return null;
      const value = randomBytes(32).toString("base64url");
      const [oldest] = sessions.keys();
      if (sessions.size >= maxSessions && oldest !== undefined) sessions.delete(oldest);
      sessions.set(digest(value).toString("base64"), now() + sessionSeconds * 1000);
      return cookie(value, sessionSeconds);
    },
    has(header) {
      const key = keyOf(header);
      const expiry = key === null ? undefined : sessions.get(key);
      if (key === null || expiry === undefined) return false;
      if (expiry > now()) return true;
      sessions.delete(key);
      return false;
    },
    signOut(header) {
      const key = keyOf(header);
      if (key !== null) sessions.delete(key);
      return cookie("", 0);
    },
  };
}

function readCookie(header: string, name: string): string | null {
  for (const part of header.split(";")) {
    const [key = "", value = ""] = part.trim().split("=", 2);
    if (key === name && value !== "") return value;
  }
  return null;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
