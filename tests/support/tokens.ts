import { createHmac } from "node:crypto";

/** Claims of a token; a claim that is undefined is left out. */
export type Claims = Readonly<Record<string, unknown>>;

export interface Signing {
  readonly key: string | Uint8Array;
  readonly algorithm?: "HS256" | "HS384" | "HS512";
  /** Replaces or adds header fields, `alg` included. */
  readonly header?: Claims;
}

const hashes = { HS256: "sha256", HS384: "sha384", HS512: "sha512" } as const;

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Signs `claims` as they are: nothing is added. */
export function signToken(claims: Claims, { key, algorithm = "HS256", header = {} }: Signing): string {
  const text = `${part({ alg: algorithm, typ: "JWT", ...header })}.${part(claims)}`;
  return `${text}.${createHmac(hashes[algorithm], key).update(text).digest("base64url")}`;
}

export const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** Who a token is for. */
interface Issuer {
  readonly endpoint: string;
  readonly primaryKey: string;
}

export interface ClientTokenOptions {
  readonly hub: string;
  /** `sub`; null or absent: no user. */
  readonly userId?: string | null | undefined;
  readonly roles?: string | readonly string[] | undefined;
  readonly groups?: string | readonly string[] | undefined;
  /** Replace or add claims; undefined removes one (`{ exp: undefined }`). */
  readonly claims?: Claims | undefined;
  readonly signing?: Partial<Signing> | undefined;
}

/** A client access token as the SDKs sign it: one hour, audience `{endpoint}/client/hubs/{hub}`. */
export function clientToken(issuer: Issuer, options: ClientTokenOptions): string {
  const claims = {
    iat: nowSeconds(),
    exp: nowSeconds() + 3600,
    aud: `${issuer.endpoint}/client/hubs/${options.hub}`,
    sub: options.userId ?? undefined,
    role: options.roles,
    "webpubsub.group": options.groups,
    ...options.claims,
  };
  return signToken(claims, { key: issuer.primaryKey, ...options.signing });
}

export interface RestTokenOptions {
  readonly claims?: Claims | undefined;
  readonly signing?: Partial<Signing> | undefined;
}

/** A token for one REST request as the JavaScript SDK signs it: one hour, audience the full URL with its query. */
export function restToken(issuer: Issuer, url: string, options: RestTokenOptions = {}): string {
  const claims = { iat: nowSeconds(), exp: nowSeconds() + 3600, aud: url, ...options.claims };
  return signToken(claims, { key: issuer.primaryKey, ...options.signing });
}
