import type { HandlerAuth } from "./config.ts";
import type { Settings } from "./schema.ts";
import type { HubInput } from "./schema-hubs.ts";

type AuthInput = HubInput["eventHandlers"][number]["auth"];
type Mapping = NonNullable<Settings["auth"]["managedIdentity"]>;
type TokenSource = Omit<Mapping, "type"> & { readonly type: "Bearer" | "ClientCredentials" };

/** A problem of the handler's own settings, or of the global mapping. */
export interface AuthProblem {
  readonly isMapping: boolean;
  readonly path: readonly string[];
  readonly message: string;
}

/**
 * How requests to a handler authenticate, `ManagedIdentity` replaced by the global token source.
 *
 * Without one a `ManagedIdentity` handler is a problem and never sent to anonymously.
 * @spec E-12
 */
export function resolveHandlerAuth(
  input: AuthInput,
  mapping: Mapping | null,
): { readonly value: HandlerAuth; readonly problems: readonly AuthProblem[] } {
  const resource = input.managedIdentity?.resource ?? null;
  switch (input.type) {
    case "None":
      return { value: { type: "None" }, problems: [] };
    case "Bearer":
    case "ClientCredentials":
      return fromSource({ ...input, type: input.type }, { resource, isMapping: false });
    case "ManagedIdentity": {
      if (mapping !== null) return fromSource(mapping, { resource, isMapping: true });
      const message = "ManagedIdentity needs a token source in auth.managedIdentity";
      return { value: { type: "None" }, problems: [{ isMapping: false, path: ["auth", "type"], message }] };
    }
  }
}

function fromSource(source: TokenSource, from: { readonly resource: string | null; readonly isMapping: boolean }) {
  const problems: AuthProblem[] = [];
  const base = from.isMapping ? ["auth", "managedIdentity"] : ["auth"];
  const required = (key: "token" | "tokenUrl" | "clientId"): string => {
    const value = source[key];
    if (value === null)
      problems.push({ isMapping: from.isMapping, path: [...base, key], message: `is required for ${source.type}` });
    return value ?? "";
  };
  if (source.type === "Bearer") return { value: { type: source.type, token: required("token") }, problems };
  const { clientSecret, privateKey } = source;
  if ((clientSecret === null) === (privateKey === null)) {
    problems.push({
      isMapping: from.isMapping,
      path: base,
      message: "ClientCredentials needs either clientSecret or privateKey",
    });
  }
  const value: HandlerAuth = {
    type: source.type,
    tokenUrl: required("tokenUrl"),
    clientId: required("clientId"),
    credential:
      privateKey === null ? { kind: "secret", secret: clientSecret ?? "" } : { kind: "privateKey", pem: privateKey },
    scope: source.scope ?? (from.resource === null ? null : `${from.resource.replace(/\/$/, "")}/.default`),
    audience: source.audience,
  };
  return { value, problems };
}
