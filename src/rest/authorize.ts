import type { AccessKey } from "../auth/access-keys.ts";
import type { AudienceValidator } from "../auth/audience.ts";
import { readBearerToken } from "../auth/bearer.ts";
import type { OidcVerifier } from "../auth/oidc.ts";
import { restTokenAlgorithms, verifyKeyToken } from "../auth/verify.ts";
import type { Caller, Clock, Telemetry } from "../core/ports.ts";
import { Problem } from "./errors.ts";

/** The keys and rules of one moment. */
export interface RestAccess {
  /** Keys a token may be signed with; empty while local authentication is disabled. */
  readonly keys: readonly AccessKey[];
  /** Null: no issuer is configured, or such tokens are disabled. */
  readonly oidc: OidcVerifier | null;
  readonly audience: AudienceValidator;
  /** Tolerance on the lifetime of tokens, 300 by specification. */
  readonly skewSeconds: number;
  /** Signs the tokens of `:generateToken`: the primary key, or an internal one while local authentication is disabled. */
  readonly mintingKey: AccessKey;
  /** Where clients reach the service, best first, path base included; empty: where the request came to. */
  readonly publicEndpoints: readonly string[];
}

/** What an operation asks of its caller: readers may look, owners may do everything. */
export type RequiredRole = "owner" | "reader";

/** A request whose operation is known. */
export interface AuthorizationRequest {
  readonly request: Request;
  /** Raw path without path base. */
  readonly path: string;
  readonly caller: Caller;
  readonly required: RequiredRole;
}

/** What authorization works with. */
export interface Authorization {
  readonly access: RestAccess;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, "log">;
}

/**
 * Judges the bearer token of a request: null when the caller may go on, otherwise 401 or 403. The caller never learns why
 * a token was refused; the log does. Key tokens are judged synchronously, tokens of issuers may ask the issuer.
 * @spec R-16 R-17 R-33 R-34 R-35
 */
export function authorize(ask: AuthorizationRequest, by: Authorization): Problem | null | Promise<Problem | null> {
  const token = readBearerToken(ask.request.headers.get("authorization"));
  if (token === null) return unauthorized("Bearer", "The request has no bearer token.");
  const { keys, oidc, audience, skewSeconds } = by.access;
  const nowSeconds = by.clock.now() / 1000;
  const check = verifyKeyToken(token, keys, { algorithms: restTokenAlgorithms, nowSeconds, skewSeconds });
  if (check.ok) {
    const { request, path, caller } = ask;
    const [host = caller.host, forwardedHost = null] = caller.audienceHosts;
    const match = audience.checkRest(check.claims, { method: request.method, rawPath: path, host, forwardedHost });
    return match.ok ? null : refuse(ask, by, { level: "warning", message: match.message });
  }
  // Only what is no key token at all is offered to the issuers.
  if (check.reason === "algorithm" && oidc !== null) return authorizeByIssuer(token, oidc, { ask, by });
  return refuse(ask, by, { level: "info", message: `The access token was refused: ${check.reason}.` });
}

async function authorizeByIssuer(
  token: string,
  oidc: OidcVerifier,
  { ask, by }: { readonly ask: AuthorizationRequest; readonly by: Authorization },
): Promise<Problem | null> {
  const check = await oidc.verify(token);
  if (!check.ok) return refuse(ask, by, { level: "info", message: `The issuer's token was refused: ${check.reason}.` });
  if (check.role === "owner" || check.role === ask.required) return null;
  return new Problem("forbidden", "The caller's role does not allow this operation.");
}

function refuse(
  ask: AuthorizationRequest,
  by: Authorization,
  why: { readonly level: "info" | "warning"; readonly message: string },
): Problem {
  by.telemetry.log(why.level, "RestAuthorizationFailed", {
    message: why.message,
    collection: "Authorization",
    callerIpAddress: ask.caller.address,
  });
  return unauthorized('Bearer error="invalid_token"', "The bearer token is not valid for this request.");
}

function unauthorized(challenge: string, message: string): Problem {
  return new Problem("unauthorized", message, { headers: { "www-authenticate": challenge } });
}
