import type { Clock } from "../../core/ports.ts";
import type { HandlerAuth } from "../settings.ts";
import { clientCredentialsForm } from "./client-assertion.ts";

/** Gives the `Authorization` of event requests to one handler; never used for validation requests (E-12). */
export interface Authenticator {
  /** The header's value; null when none can be had now. Never rejects. */
  authorization(): string | Promise<string | null>;
  /** Whether a rejected value can be replaced by a fresh one. */
  readonly canRefresh: boolean;
  /** The handler answered 401 to this value: it is not given out again. */
  reject(authorization: string): void;
}

/** Sends a token request; null for no usable reply. */
export type FetchToken = (
  tokenUrl: string,
  form: URLSearchParams,
) => Promise<{ readonly status: number; readonly body: string } | null>;

/** What authenticators need. */
export interface AuthenticatorParts {
  readonly clock: Clock;
  readonly fetchToken: FetchToken;
  /** Told why there is no token; the text holds no secret. */
  failed(reason: string): void;
}

const tokenPattern = /^[\x21-\x7e]+$/;
/** Ours, for servers that leave `expires_in` out. */
const defaultLifetimeMs = 300_000;
const maxMarginMs = 300_000;

/** @spec E-12 */
export function createAuthenticator(auth: HandlerAuth, parts: AuthenticatorParts): Authenticator | null {
  switch (auth.type) {
    case "None":
      return null;
    case "Bearer": {
      const value = `Bearer ${auth.token}`;
      return { authorization: () => value, canRefresh: false, reject: () => undefined };
    }
    case "ClientCredentials":
      return new ClientCredentials(auth, parts);
  }
}

/**
 * OAuth 2 client credentials: one token for all events of the handler, one request for it at a time. A token is used until
 * 5 minutes or a tenth of its lifetime before its end, whichever is later.
 */
class ClientCredentials implements Authenticator {
  readonly canRefresh = true;
  readonly #auth: HandlerAuth & { readonly type: "ClientCredentials" };
  readonly #parts: AuthenticatorParts;
  #current: { readonly value: string; readonly useUntil: number } | null = null;
  #running: Promise<string | null> | null = null;

  constructor(auth: HandlerAuth & { readonly type: "ClientCredentials" }, parts: AuthenticatorParts) {
    this.#auth = auth;
    this.#parts = parts;
  }

  authorization(): string | Promise<string | null> {
    if (this.#current !== null && this.#parts.clock.now() < this.#current.useUntil) return this.#current.value;
    this.#running ??= this.#acquire().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  reject(authorization: string): void {
    if (this.#current?.value === authorization) this.#current = null;
  }

  async #acquire(): Promise<string | null> {
    const { clock, fetchToken } = this.#parts;
    const askedAt = clock.now();
    const form = await clientCredentialsForm(this.#auth, askedAt);
    if (form === null) {
      this.#parts.failed("the private key cannot be used");
      return null;
    }
    const reply = await fetchToken(this.#auth.tokenUrl, form);
    if (reply === null) {
      this.#parts.failed("the token endpoint could not be reached");
      return null;
    }
    const token = reply.status === 200 ? readToken(reply.body) : null;
    if (token === null) {
      this.#parts.failed(`the token endpoint answered ${reply.status} without a usable token`);
      return null;
    }
    const margin = Math.min(maxMarginMs, token.lifetimeMs / 10);
    this.#current = { value: `Bearer ${token.text}`, useUntil: askedAt + token.lifetimeMs - margin };
    return this.#current.value;
  }
}

function readToken(body: string): { readonly text: string; readonly lifetimeMs: number } | null {
  let reply: unknown;
  try {
    reply = JSON.parse(body);
  } catch {
    return null;
  }
  if (typeof reply !== "object" || reply === null || !("access_token" in reply)) return null;
  const text = reply.access_token;
  if (typeof text !== "string" || !tokenPattern.test(text)) return null;
  // Some servers write the number as a string.
  const seconds = "expires_in" in reply ? Number(reply.expires_in) : Number.NaN;
  return { text, lifetimeMs: seconds > 0 && Number.isFinite(seconds) ? seconds * 1000 : defaultLifetimeMs };
}
