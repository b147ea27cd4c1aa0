import type { RawSettings } from "./raw-settings.ts";

/** One setting as a field of a form. */
export interface SettingField {
  readonly path: readonly string[];
  readonly label: string;
  /** `secrets` have several lines, `list` has one entry in each line. */
  readonly kind: "text" | "secret" | "secrets" | "list" | "flag" | "choice";
  readonly hint?: string;
  readonly placeholder?: string;
  readonly choices?: readonly string[];
  /** What it is called to choose nothing. */
  readonly unchosen?: string;
  /** What that removes, if it is more than the setting itself. */
  readonly removes?: readonly string[];
  /** Shown only while there is this setting. */
  readonly needs?: readonly string[];
}

/** How event requests authenticate; the settings each kind has. */
export const authFields: Readonly<Record<string, readonly SettingField[]>> = {
  None: [],
  ManagedIdentity: [
    {
      path: ["managedIdentity", "resource"],
      label: "Audience of the token (resource)",
      kind: "text",
      placeholder: "api://my-application",
      hint: "Where tokens come from is configured once, as auth.managedIdentity.",
    },
  ],
  Bearer: [{ path: ["token"], label: "Token", kind: "secret" }],
  ClientCredentials: [
    {
      path: ["tokenUrl"],
      label: "Token URL",
      kind: "text",
      placeholder: "https://login.example.com/oauth2/token",
      hint: "Token endpoint of the OAuth 2 server.",
    },
    { path: ["clientId"], label: "Client ID", kind: "text" },
    { path: ["clientSecret"], label: "Client secret", kind: "secret", hint: "Or a private key." },
    { path: ["privateKey"], label: "Private key", kind: "secrets", hint: "PKCS #8, PEM." },
    { path: ["scope"], label: "Scope", kind: "text", hint: "Optional." },
    { path: ["audience"], label: "Audience", kind: "text", hint: "Optional." },
  ],
};

/** Kinds of endpoint an event listener has. */
export const endpointTitles: Readonly<Record<string, string>> = {
  EventHub: "Event Hubs",
  Kafka: "Kafka",
  Nats: "NATS",
  HttpBatch: "HTTP",
};

/** The settings of each kind of endpoint. */
export const endpointFields: Readonly<Record<string, readonly SettingField[]>> = {
  EventHub: [
    {
      path: ["fullyQualifiedNamespace"],
      label: "Fully qualified namespace",
      kind: "text",
      placeholder: "contoso.servicebus.windows.net",
      hint: "Reached with tokens of auth.managedIdentity, unless there is a connection string.",
    },
    { path: ["eventHubName"], label: "Event hub name", kind: "text" },
    {
      path: ["connectionString"],
      label: "Connection string",
      kind: "secret",
      hint: "Of the namespace, or of the Event Hubs emulator.",
    },
  ],
  Kafka: [
    {
      path: ["brokers"],
      label: "Brokers",
      kind: "list",
      placeholder: "localhost:9092",
      hint: "host:port, one in each line.",
    },
    { path: ["topic"], label: "Topic", kind: "text", placeholder: "webpubsub.{hub}", hint: "{hub} is replaced." },
    { path: ["tls"], label: "Reach brokers over TLS", kind: "flag" },
    {
      path: ["attributeStyle"],
      label: "Names of headers",
      kind: "choice",
      choices: ["kafka", "amqp"],
      unchosen: "Default",
      hint: "kafka: ce_type and so on; amqp: cloudEvents:type, as in Event Hubs.",
    },
    {
      path: ["sasl", "mechanism"],
      label: "SASL mechanism",
      kind: "choice",
      choices: ["plain", "scram-sha-256", "scram-sha-512"],
      unchosen: "None",
      removes: ["sasl"],
    },
    {
      path: ["sasl", "username"],
      label: "SASL user name",
      kind: "text",
      needs: ["sasl"],
      hint: "$ConnectionString for Event Hubs.",
    },
    { path: ["sasl", "password"], label: "SASL password", kind: "secret", needs: ["sasl"] },
  ],
  Nats: [
    {
      path: ["servers"],
      label: "Servers",
      kind: "list",
      placeholder: "nats://localhost:4222",
      hint: "One in each line; tls:// for TLS.",
    },
    {
      path: ["subject"],
      label: "Subject",
      kind: "text",
      placeholder: "webpubsub.{hub}.{kind}.{event}",
      hint: "{hub}, {kind} and {event} are replaced.",
    },
    { path: ["jetStream"], label: "Wait until JetStream has stored the event", kind: "flag" },
    { path: ["username"], label: "User name", kind: "text", hint: "With a password; or a token, or credentials." },
    { path: ["password"], label: "Password", kind: "secret" },
    { path: ["token"], label: "Token", kind: "secret" },
    { path: ["credentials"], label: "Credentials", kind: "secrets", hint: "Content of a .creds file." },
  ],
  HttpBatch: [
    {
      path: ["url"],
      label: "URL template",
      kind: "text",
      placeholder: "https://example.com/events/{hub}",
      hint: "Where batches of events are posted; {hub} is replaced.",
    },
  ],
};

/** What stands for a secret that the service does not show; sent back, it stays. */
export const maskedSecret = "(secret)";

/** Settings that name a file; they can be changed in the configuration only. */
export function fileSettings(settings: RawSettings): readonly string[] {
  return Object.entries(settings)
    .filter(([name, value]) => name.endsWith("File") && typeof value === "string")
    .map(([name, value]) => `${name} = ${String(value)}`);
}
