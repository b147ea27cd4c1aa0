import { parseIpRange } from "../core/ip-address.ts";
import { checkedText, fileName, group, leaf, list, optional, secret, secretFile, text } from "./fields.ts";
import { checkPublicEndpoint, parseListenUrl } from "./urls.ts";

const listenUrl = (description: string, defaultText?: string) =>
  leaf(
    (raw) => {
      const address = typeof raw === "string" ? parseListenUrl(raw) : "must be a URL such as http://localhost:8080";
      return typeof address === "string" ? { expected: address } : { value: address };
    },
    { type: "URL", description, takesEffect: "restart", ...(defaultText !== undefined && { defaultText }) },
  );

const ipRange = (description: string) =>
  leaf(
    (raw) => {
      const range = typeof raw === "string" ? parseIpRange(raw) : null;
      return range === null ? { expected: "must be an IP address or a range such as 10.0.0.0/8" } : { value: range };
    },
    { type: "IP address or range", description },
  );

function checkPathBase(raw: string): string | null {
  const isValid = raw === "" || /^(?:\/[A-Za-z0-9._~-]+)+$/.test(raw);
  const climbs = raw.split("/").some((part) => part === "." || part === "..");
  return isValid && !climbs ? null : "must be empty or a path such as /pubsub, without a trailing slash";
}

function checkCertificateName(raw: string): string | null {
  const isName = /^(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(raw) || parseIpRange(raw) !== null;
  return isName && !raw.includes("/") ? null : "must be a host name or an IP address";
}

const minTokenLength = 16;
export const defaultAdminUrl = "http://127.0.0.1:8081";

const listener = group(
  {
    name: optional(
      text({
        description: "Name by which an entry of `properties.networkACLs.privateEndpoints` finds this listener.",
        takesEffect: "restart",
      }),
    ),
    url: listenUrl(
      "Address to listen on; `https` without `tls` uses a certificate of the local authority in the data folder.",
    ),
    tls: optional(
      group(
        {
          certFile: fileName({ description: "Certificate chain, PEM; read again when it changes." }),
          keyFile: fileName({ description: "Private key of the certificate, PEM; read again when it changes." }),
        },
        "Own certificate of an `https` listener.",
      ),
    ),
  },
  "One listener of the service.",
);

const adminListen = group(
  {
    url: listenUrl(
      "Address of the administration listener; keep it on loopback or a private network.",
      `\`${defaultAdminUrl}\``,
    ).prefault(defaultAdminUrl),
    token: optional(
      checkedTokenText(
        "Token that every request to the administration listener carries as `Authorization: Bearer`; generated and kept in the data folder as `admin-token` where none is given.",
      ),
    ),
    tokenFile: optional(secretFile("the token of the administration listener")),
    hostNames: list(
      checkedText(checkCertificateName, {
        type: "host name",
        description: "Host name of the administration listener.",
        takesEffect: "restart",
      }),
      {
        description:
          "Names by which the listener is reached, beside IP addresses, `localhost` and the host of its URL; requests for others get 421, lest a web page reaches it by a name of its own.",
        takesEffect: "restart",
      },
    ).default([]),
  },
  "Listener for the [console](console.md), metrics and the [administration API](administration.md); `{}` turns it on; without `service.listen` it is on by itself.",
  "restart",
);

function checkedTokenText(description: string) {
  return leaf<string>(
    (raw) => {
      const isToken = typeof raw === "string" && raw.length >= minTokenLength && /^[\x21-\x7e]+$/.test(raw);
      return isToken
        ? { value: raw }
        : { expected: `must be at least ${minTokenLength} printable ASCII characters without blanks` };
    },
    {
      type: "text",
      description,
      isSecret: true,
      range: `at least ${minTokenLength} characters`,
      takesEffect: "restart",
    },
  );
}

/** Settings of this installation; the part of the file that a resource in Azure does not have. */
export const serviceSchema = group(
  {
    name: text({ description: "Name of the service in logs and resource ids.", takesEffect: "restart" }).default(
      "tidewire",
    ),
    listen: list(listener, {
      description: "Listeners of the service.",
      takesEffect: "restart",
      defaultText: "`http://localhost:8080`, `https://localhost:8443`",
    }).default([]),
    adminListen: optional(adminListen),
    publicEndpoints: list(
      checkedText(checkPublicEndpoint, {
        type: "URL",
        description: "URL by which clients and servers reach the service; a path only if it equals `service.pathBase`.",
      }),
      {
        description:
          "Endpoints as clients see them. The first one appears in the connection string, in minted tokens and in `nextLink`; tokens for any of them are accepted.",
      },
    ).default([]),
    pathBase: checkedText(checkPathBase, {
      type: "path",
      description: "Path prefix below which everything is served, for proxies that do not strip it.",
      takesEffect: "restart",
    }).default(""),
    trustedProxies: list(ipRange("Address or range of a proxy."), {
      description: "Peers whose `Forwarded` and `X-Forwarded-*` headers are believed.",
    }).default([]),
    keys: group(
      {
        primary: optional(
          secret({
            description:
              "Primary access key: at least 32 UTF-8 bytes, no surrounding white space, no `;`, no control characters.",
          }),
        ),
        primaryFile: optional(secretFile("the primary access key")),
        secondary: optional(
          secret({
            description:
              "Secondary access key, equally valid; same rules. Change one key at a time to rotate without a gap.",
          }),
        ),
        secondaryFile: optional(secretFile("the secondary access key")),
      },
      "Access keys. Without a primary key one is generated and kept in the data folder, see *Keys* above.",
    ).prefault({}),
    dataDir: optional(
      fileName({
        description:
          "Folder for generated secrets, what the administration API has changed, and the local certificate authority.",
        takesEffect: "restart",
        defaultText: "`$XDG_STATE_HOME/tidewire`, else `~/.tidewire`",
      }),
    ),
    certificateNames: list(
      checkedText(checkCertificateName, {
        type: "host name or IP address",
        description: "Further name of this machine.",
        takesEffect: "restart",
      }),
      {
        description:
          "Names in the certificate of the local authority beside localhost, 127.0.0.1, ::1 and the public endpoints.",
        takesEffect: "restart",
      },
    ).default([]),
  },
  "This installation: addresses, keys, folders.",
).prefault({});
