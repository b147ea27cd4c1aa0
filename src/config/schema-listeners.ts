import { checkedText, choice, flag, group, leaf, list, optional, secret, secretFile, text } from "./fields.ts";
import { handlerAuth, userEventPattern } from "./schema-auth.ts";
import { checkUrlTemplate } from "./url-template.ts";

const filter = group(
  {
    type: choice(["EventName"], { description: "Kind of filter." }).default("EventName"),
    systemEvents: list(
      leaf<"connected" | "disconnected">(
        (raw) => {
          const lower = typeof raw === "string" ? raw.toLowerCase() : "";
          if (lower === "connected" || lower === "disconnected") return { value: lower };
          return {
            expected:
              lower === "connect" ? "connect cannot be sent to a listener" : "must be connected or disconnected",
          };
        },
        { type: "`connected`, `disconnected`", description: "System event." },
      ),
      { description: "System events the listener receives; `connect` is not possible." },
    ).default([]),
    userEventPattern: userEventPattern("the listener"),
  },
  "Events the listener receives.",
);

const sasl = group(
  {
    mechanism: choice(["plain", "scram-sha-256", "scram-sha-512"], { description: "SASL mechanism." }).default("plain"),
    username: text({ description: "User name; `$ConnectionString` for Event Hubs." }),
    password: optional(secret({ description: "Password." })),
    passwordFile: optional(secretFile("the password")),
  },
  "`Kafka`: authentication.",
);

const endpoint = group(
  {
    type: choice(["EventHub", "Kafka", "Nats", "HttpBatch"], {
      description: "Kind of endpoint; the settings below belong to the kind they name.",
    }).default("EventHub"),
    fullyQualifiedNamespace: optional(
      text({
        description:
          "`EventHub`: host of the namespace, reached with tokens of `auth.managedIdentity` unless there is a connection string.",
      }),
    ),
    eventHubName: optional(text({ description: "`EventHub`: name of the event hub." })),
    connectionString: optional(
      secret({ description: "`EventHub`: connection string of the namespace or of the Event Hubs emulator." }),
    ),
    connectionStringFile: optional(secretFile("the connection string of the namespace")),
    brokers: optional(
      list(checkedText(checkHostAndPort, { type: "host:port", description: "Broker." }), {
        description: "`Kafka`: brokers to begin with, as `host:port`.",
      }),
    ),
    topic: optional(
      checkedText((raw) => checkPlaceholders(raw, ["hub"]), {
        type: "text",
        description: "`Kafka`: topic; `{hub}` is replaced.",
      }),
    ),
    tls: optional(flag({ description: "`Kafka`: whether brokers are reached over TLS.", defaultText: "`false`" })),
    sasl: optional(sasl),
    attributeStyle: optional(
      choice(["kafka", "amqp"], {
        description: "`Kafka`: names of the headers, `ce_type` and so on or `cloudEvents:type` as in Event Hubs.",
        defaultText: "`kafka`",
      }),
    ),
    servers: optional(
      list(checkedText(checkNatsServer, { type: "URL", description: "Server." }), {
        description: "`Nats`: servers as `nats://host:port`, or `tls://host:port`.",
      }),
    ),
    subject: optional(
      checkedText((raw) => checkPlaceholders(raw, ["hub", "kind", "event"]), {
        type: "text",
        description: "`Nats`: subject; `{hub}`, `{kind}` (`sys` or `user`) and `{event}` are replaced.",
        defaultText: "`webpubsub.{hub}.{kind}.{event}`",
      }),
    ),
    jetStream: optional(
      flag({
        description: "`Nats`: whether a JetStream stream has to confirm that it stored the event.",
        defaultText: "`false`",
      }),
    ),
    username: optional(text({ description: "`Nats`: user name." })),
    password: optional(secret({ description: "`Nats`: password." })),
    passwordFile: optional(secretFile("the password")),
    token: optional(secret({ description: "`Nats`: token." })),
    tokenFile: optional(secretFile("the token")),
    credentials: optional(secret({ description: "`Nats`: content of a `.creds` file." })),
    credentialsFile: optional(secretFile("JWT and key: a `.creds` file")),
    url: optional(
      checkedText(checkHttpTemplate, {
        type: "URL template",
        description:
          "`HttpBatch`: where batches are posted; `{hub}` is replaced, `{@Env(NAME)}` and `{@File(path)}` insert a secret.",
        insertsSecrets: true,
      }),
    ),
    auth: optional(handlerAuth),
  },
  "Where the events go.",
);

/** One event listener: ARM's shape, with further kinds of endpoint. */
export const eventListener = group({ filter, endpoint }, "One event listener.");

/** Batches go to web servers, not through tunnels. */
function checkHttpTemplate(raw: string): string | null {
  return /^https?:/i.test(raw) ? checkUrlTemplate(raw) : "must be an absolute http or https URL";
}

function checkHostAndPort(raw: string): string | null {
  return /^[^\s:/@]+:[0-9]{1,5}$|^\[[0-9A-Fa-f:.]+\]:[0-9]{1,5}$/.test(raw) ? null : "must be host:port";
}

function checkNatsServer(raw: string): string | null {
  if (!/^(?:nats|tls):\/\/[^\s/?#]+$/i.test(raw)) return "must be a URL such as nats://localhost:4222";
  return raw.includes("@") ? "must not contain a user name or password" : null;
}

function checkPlaceholders(raw: string, known: readonly string[]): string | null {
  if (raw === "" || /\s/.test(raw)) return "must not be empty or contain white space";
  for (const [whole, name = ""] of raw.matchAll(/\{([^{}]*)\}/g)) {
    if (!known.includes(name.toLowerCase())) return `has the unknown placeholder ${whole}`;
  }
  return /[{}]/.test(raw.replaceAll(/\{[^{}]*\}/g, "")) ? "has an unbalanced brace" : null;
}
