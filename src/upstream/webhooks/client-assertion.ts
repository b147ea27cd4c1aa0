import { createPrivateKey, randomUUID } from "node:crypto";
import { importPKCS8, SignJWT } from "jose";
import type { HandlerAuth } from "../settings.ts";

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const assertionSeconds = 300;

/** The form of a client credentials request; null when the private key cannot be read. Never rejects. */
export async function clientCredentialsForm(
  auth: HandlerAuth & { readonly type: "ClientCredentials" },
  nowMs: number,
): Promise<URLSearchParams | null> {
  const form = new URLSearchParams({ grant_type: "client_credentials", client_id: auth.clientId });
  if (auth.scope !== null) form.set("scope", auth.scope);
  if (auth.audience !== null) form.set("audience", auth.audience);
  if (auth.credential.kind === "secret") {
    form.set("client_secret", auth.credential.secret);
    return form;
  }
  try {
    form.set("client_assertion", await signAssertion(auth, auth.credential.pem, Math.floor(nowMs / 1000)));
  } catch {
    return null; // only the operator's key can be at fault here
  }
  form.set("client_assertion_type", assertionType);
  return form;
}

async function signAssertion(
  auth: { readonly clientId: string; readonly tokenUrl: string },
  pem: string,
  now: number,
): Promise<string> {
  const algorithm = createPrivateKey(pem).asymmetricKeyType === "ec" ? "ES256" : "RS256";
  return await new SignJWT()
    .setProtectedHeader({ alg: algorithm, typ: "JWT" })
    .setIssuer(auth.clientId)
    .setSubject(auth.clientId)
    .setAudience(auth.tokenUrl)
    .setJti(randomUUID())
    .setIssuedAt(now)
    .setNotBefore(now)
    .setExpirationTime(now + assertionSeconds)
    .sign(await importPKCS8(pem, algorithm));
}
