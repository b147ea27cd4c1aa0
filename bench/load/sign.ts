import { createHmac } from "node:crypto";

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const header = encode({ alg: "HS256", typ: "JWT" });

/** Seconds since the epoch. */
export const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** A JSON Web Token signed with an access key; the key is the UTF-8 text of the connection string. */
export function signToken(accessKey: string, claims: Readonly<Record<string, unknown>>): string {
  const signed = `${header}.${encode(claims)}`;
  return `${signed}.${createHmac("sha256", accessKey).update(signed).digest("base64url")}`;
}
