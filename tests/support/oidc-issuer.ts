import { createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Claims, nowSeconds } from "./tokens.ts";

export interface IssuedTokenOptions {
  /** Replace or add claims; undefined removes one. */
  readonly claims?: Claims;
  /** Replace or add header fields. */
  readonly header?: Claims;
  /** Signed with a key that the issuer does not publish, under the id of one that it does. */
  readonly forged?: boolean;
}

/** An OpenID Connect issuer on loopback: discovery document, key set, RS256 tokens. */
export interface OidcIssuer {
  /** Value of `iss`; the discovery document is below it. */
  readonly issuer: string;
  /** Times the key set was fetched. */
  readonly fetched: number;
  /** A token for `https://webpubsub.azure.com`, one hour, with the claims an entry of `settings` maps. */
  token(options?: IssuedTokenOptions): string;
  /** An entry of `auth.oidc`: claim `appid` `owner-app` is owner, `reader-app` reader. */
  settings(): Record<string, unknown>;
  stop(): Promise<void>;
}

const audience = "https://webpubsub.azure.com";

export async function startOidcIssuer(): Promise<OidcIssuer> {
  const published = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const kid = randomUUID();
  let issuer = "";
  let fetched = 0;
  const server = createServer((request, response) => {
    const documents: Record<string, () => unknown> = {
      "/.well-known/openid-configuration": () => ({ issuer, jwks_uri: `${issuer}/keys` }),
      "/keys": () => {
        fetched++;
        const jwk = published.publicKey.export({ format: "jwk" });
        return { keys: [{ ...jwk, kid, use: "sig", alg: "RS256" }] };
      },
    };
    const document = documents[request.url ?? ""];
    response.statusCode = document === undefined ? 404 : 200;
    response.setHeader("Content-Type", "application/json");
    response.setHeader("Connection", "close");
    response.end(document === undefined ? "" : JSON.stringify(document()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    get fetched() {
      return fetched;
    },
    token: ({ claims = {}, header = {}, forged = false } = {}) => {
      const now = nowSeconds();
      const text = [
        { alg: "RS256", typ: "JWT", kid, ...header },
        { iss: issuer, aud: audience, iat: now, nbf: now, exp: now + 3600, appid: "owner-app", ...claims },
      ]
        .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
        .join(".");
      const key = (forged ? other : published).privateKey;
      return `${text}.${createSign("RSA-SHA256").update(text).sign(key, "base64url")}`;
    },
    settings: () => ({
      issuer,
      roles: [
        { claim: "appid", value: "owner-app", role: "owner" },
        { claim: "appid", value: "reader-app", role: "reader" },
      ],
    }),
    stop: async () => {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
