import { createSign, generateKeyPairSync, type KeyObject } from "node:crypto";
import { type EventHandler, type ReceivedRequest, startEventHandler } from "./event-handler.ts";
import type { Inbox } from "./inbox.ts";
import { type Claims, nowSeconds } from "./tokens.ts";

export interface KeySetOptions {
  /** Id of the published key. */
  readonly kid: string;
  /** Value of `iss`; default: the address of this server. */
  readonly issuer?: string;
}

/** An issuer of OIDC tokens whose key and key id the test chooses; every request it gets is kept. */
export interface KeySet {
  readonly url: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly requests: Inbox<ReceivedRequest>;
  /** An RS256 token of this issuer for the REST API; `claims` and `header` replace or add. */
  token(claims?: Claims, header?: Claims): string;
  /** An entry of `auth.oidc`; every token is owner. */
  settings(): Record<string, unknown>;
  stop(): Promise<void>;
}

const audience = "https://webpubsub.azure.com";

/** Starts an issuer with one key on loopback. */
export async function startKeySet({ kid, ...options }: KeySetOptions): Promise<KeySet> {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const server: EventHandler = await startEventHandler();
  const issuer = options.issuer ?? server.url;
  const keys = JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" }] });
  server.answerValidation({
    headers: [
      ["Content-Type", "application/json"],
      ["Connection", "close"],
    ],
    body: keys,
  });
  return {
    url: server.url,
    issuer,
    publicKey,
    requests: server.validations,
    token: (claims = {}, header = {}) => {
      const now = nowSeconds();
      const text = [
        { alg: "RS256", typ: "JWT", kid, ...header },
        { iss: issuer, aud: audience, iat: now, exp: now + 3600, appid: "app", ...claims },
      ]
        .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
        .join(".");
      return `${text}.${createSign("RSA-SHA256").update(text).sign(privateKey, "base64url")}`;
    },
    settings: () => ({
      issuer,
      jwksUri: `${server.url}/keys`,
      roles: [{ claim: "appid", value: "app", role: "owner" }],
    }),
    stop: () => server.stop(),
  };
}
