import type { AccessKey } from "./access-keys.ts";

/** What a minted client token says. */
export interface ClientTokenContent {
  /** One audience, or several where the hub may be used by several kinds of client (rest-api 13.1). */
  readonly audience: string | readonly string[];
  /** Null or empty: no `sub`. */
  readonly userId: string | null;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  /** Whole seconds since the epoch; becomes `iat` and `nbf`. */
  readonly issuedAtSeconds: number;
  readonly lifetimeSeconds: number;
  /** Random, becomes `jti`. */
  readonly tokenId: string;
}

const header = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString("base64url");

/**
 * Mints a client token as `:generateToken` answers it, HS256 with the given key: the primary access key, or an internal
 * key while local authentication is disabled (management 6). Empty roles and groups write no claim, as the SDKs do.
 * The content is trusted: group names and lifetime were checked by the caller.
 * @spec R-95 M-24
 */
export function mintClientToken(key: AccessKey, content: ClientTokenContent): string {
  const claims = {
    aud: content.audience,
    ...(content.userId === null || content.userId === "" ? {} : { sub: content.userId }),
    ...(content.roles.length === 0 ? {} : { role: content.roles }),
    ...(content.groups.length === 0 ? {} : { "webpubsub.group": content.groups }),
    iat: content.issuedAtSeconds,
    nbf: content.issuedAtSeconds,
    exp: content.issuedAtSeconds + content.lifetimeSeconds,
    jti: content.tokenId,
  };
  const signed = `${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
  return `${signed}.${key.sign(signed, "base64url")}`;
}
