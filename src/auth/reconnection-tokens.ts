import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** Issues and checks the tokens by which clients recover their connections. */
export interface ReconnectionTokens {
  /** URL-safe: samples put it into a query without escaping (C-70). Always the same for one connection. */
  issue(connectionId: string): string;
  /** Compares in constant time; never throws. */
  isValid(connectionId: string, token: string): boolean;
}

/**
 * Tokens of this process: a connection lives no longer than the process that holds it, so neither need its tokens, and a
 * key that is never written cannot leak. A token may be used any number of times while its connection lives.
 * @spec C-70 C-75 C-77
 */
export function createReconnectionTokens(): ReconnectionTokens {
  const key = randomBytes(32);
  const issue = (connectionId: string): string => createHmac("sha256", key).update(connectionId).digest("base64url");
  return {
    issue,
    isValid(connectionId, token) {
      const expected = Buffer.from(issue(connectionId));
      const given = Buffer.from(token);
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
  };
}
