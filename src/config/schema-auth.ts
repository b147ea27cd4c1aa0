import { checkedText, choice, group, leaf, optional, secret, secretFile, text } from "./fields.ts";
import { checkHttpUrl } from "./urls.ts";

const tokenSourceFields = {
  token: optional(secret({ description: "`Bearer`: the token." })),
  tokenFile: optional(secretFile("the token of `Bearer`; read again when it changes")),
  tokenUrl: optional(
    checkedText(checkHttpUrl, {
      type: "URL",
      description: "`ClientCredentials`: token endpoint of the OAuth 2 server.",
    }),
  ),
  clientId: optional(text({ description: "`ClientCredentials`: client id." })),
  clientSecret: optional(secret({ description: "`ClientCredentials`: client secret; or a private key." })),
  clientSecretFile: optional(secretFile("the client secret")),
  privateKey: optional(
    secret({ description: "`ClientCredentials`: PKCS #8 private key, PEM, for `private_key_jwt`." }),
  ),
  privateKeyFile: optional(secretFile("the private key")),
  scope: optional(
    text({
      description:
        "`ClientCredentials`: scope; default `<managedIdentity.resource>/.default` where a resource is given.",
    }),
  ),
  audience: optional(text({ description: "`ClientCredentials`: `audience` parameter of the token request." })),
};

/** Where tokens for `ManagedIdentity` handlers come from, one mapping for the whole service (event-handlers 2.5). */
export const managedIdentitySchema = group(
  { type: choice(["Bearer", "ClientCredentials"], { description: "Kind of token source." }), ...tokenSourceFields },
  "Token source that takes the place of Azure's managed identity, so that exported settings with `ManagedIdentity` work; without it they are refused.",
);

const supportedAuthTypes = ["None", "ManagedIdentity", "Bearer", "ClientCredentials"] as const;
const unsupportedAuthTypes = ["SignedJwt", "ClientCertificate"];

const authType = leaf<(typeof supportedAuthTypes)[number]>(
  (raw) => {
    const isWord = (word: string) => typeof raw === "string" && word.toLowerCase() === raw.toLowerCase();
    const supported = supportedAuthTypes.find(isWord);
    if (supported !== undefined) return { value: supported };
    const unsupported = unsupportedAuthTypes.find(isWord);
    const choices = "None, ManagedIdentity, Bearer or ClientCredentials";
    return {
      expected: unsupported === undefined ? `must be ${choices}` : `${unsupported} is not supported; use ${choices}`,
    };
  },
  {
    type: supportedAuthTypes.map((word) => `\`${word}\``).join(", "),
    description: "How event requests authenticate beside their signature.",
  },
);

/** How requests to one URL authenticate. */
export const handlerAuth = group(
  {
    type: authType.default("None"),
    managedIdentity: optional(
      group(
        { resource: optional(text({ description: "Audience of the token." })) },
        "`ManagedIdentity`; needs `auth.managedIdentity`.",
      ),
    ),
    ...tokenSourceFields,
  },
  "Authentication of event requests.",
);

/** A `userEventPattern` of a handler or listener. */
export const userEventPattern = (who: string) =>
  text({
    description: `User events ${who} receives: \`*\` for all, or names separated by commas; empty for none.`,
    allowEmpty: true,
  }).default("");
