/** What a continuation token is bound to. */
export interface ContinuationScope {
  readonly hub: string;
  readonly group: string;
}

/** Makes and reads the continuation tokens of lists. */
export interface Continuations {
  /** A URL-safe token that continues behind `after`. */
  issue(scope: ContinuationScope, after: string): Promise<string>;
  /** The `after` of a token issued for this scope; null for every other text. */
  read(scope: ContinuationScope, token: string): Promise<string | null>;
}

const macBytes = 32;

/**
 * Tokens are the last id with an HMAC-SHA256 over hub, group and id, so nothing is stored: with the same key a token is
 * good after a restart and on every node. It carries no secret and never expires (rest-api 10).
 */
export function createContinuations(key: Uint8Array<ArrayBuffer>): Continuations {
  const imported = crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
  return {
    async issue(scope, after) {
      const mac = await crypto.subtle.sign("HMAC", await imported, signedText(scope, after));
      return Buffer.concat([new Uint8Array(mac), Buffer.from(after)]).toString("base64url");
    },
    async read(scope, token) {
      const bytes = Buffer.from(token, "base64url");
      const after = bytes.toString("utf8", macBytes);
      const mac = bytes.subarray(0, macBytes);
      return (await crypto.subtle.verify("HMAC", await imported, mac, signedText(scope, after))) ? after : null;
    },
  };
}

function signedText({ hub, group }: ContinuationScope, after: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify([hub, group, after]));
}
