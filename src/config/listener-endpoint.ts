import type { HandlerAuth, ListenerEndpoint } from "./config.ts";
import { resolveHandlerAuth } from "./handler-auth.ts";
import type { Settings } from "./schema.ts";
import type { HubInput } from "./schema-hubs.ts";

type EndpointInput = HubInput["eventListeners"][number]["endpoint"];
type Mapping = Settings["auth"]["managedIdentity"];

/** `path` below the endpoint, or below the whole configuration for a problem of the global token source. */
export interface EndpointProblem {
  readonly isGlobal: boolean;
  readonly path: readonly string[];
  readonly message: string;
}

const keysOf: Readonly<Record<EndpointInput["type"], readonly string[]>> = {
  EventHub: ["fullyQualifiedNamespace", "eventHubName", "connectionString"],
  Kafka: ["brokers", "topic", "tls", "sasl", "attributeStyle"],
  Nats: ["servers", "subject", "jetStream", "username", "password", "token", "credentials"],
  HttpBatch: ["url", "auth"],
};
const eventHubsResource = "https://eventhubs.azure.net";

/** Makes an endpoint of its settings: what its kind needs is there, and nothing that another kind has. */
export function resolveListenerEndpoint(
  input: EndpointInput,
  mapping: Mapping,
): { readonly value: ListenerEndpoint; readonly problems: readonly EndpointProblem[] } {
  const problems: EndpointProblem[] = [];
  const refuse = (key: string, message: string) => problems.push({ isGlobal: false, path: [key], message });
  const required = (key: string, value: string | null): string => {
    if (value === null) refuse(key, `is required for ${input.type}`);
    return value ?? "";
  };
  const requiredList = (key: "brokers" | "servers"): readonly string[] => {
    const values = input[key] ?? [];
    if (values.length === 0) refuse(key, `is required for ${input.type}`);
    return values;
  };
  const authOf = (auth: Parameters<typeof resolveHandlerAuth>[0]): HandlerAuth => {
    const resolved = resolveHandlerAuth(auth, mapping);
    for (const { isMapping, path, message } of resolved.problems) problems.push({ isGlobal: isMapping, path, message });
    return resolved.value;
  };
  for (const [key, value] of Object.entries(input)) {
    if (key !== "type" && value !== null && !keysOf[input.type].includes(key))
      refuse(key, `does not belong to an endpoint of type ${input.type}`);
  }
  const value = (): ListenerEndpoint => {
    switch (input.type) {
      case "EventHub": {
        const eventHubName = required("eventHubName", input.eventHubName);
        const { connectionString } = input;
        if (connectionString !== null) {
          if (!/(?:^|;)\s*Endpoint=sb:\/\/[^;]+/i.test(connectionString))
            refuse("connectionString", "must be a connection string of Event Hubs (Endpoint=sb://…)");
          return { type: input.type, eventHubName, access: { kind: "connectionString", connectionString } };
        }
        const fullyQualifiedNamespace = required("fullyQualifiedNamespace", input.fullyQualifiedNamespace);
        const auth = mapping === null ? null : authOf({ ...noAuth, managedIdentity: { resource: eventHubsResource } });
        return { type: input.type, eventHubName, access: { kind: "token", fullyQualifiedNamespace, auth } };
      }
      case "Kafka": {
        const { sasl } = input;
        if (sasl !== null && sasl.password === null) refuse("sasl", "needs a password");
        return {
          type: input.type,
          brokers: requiredList("brokers"),
          topic: required("topic", input.topic),
          tls: input.tls ?? false,
          sasl:
            sasl === null
              ? null
              : { mechanism: sasl.mechanism, username: sasl.username, password: sasl.password ?? "" },
          attributeStyle: input.attributeStyle ?? "kafka",
        };
      }
      case "Nats":
        return {
          type: input.type,
          servers: requiredList("servers"),
          subject: input.subject ?? "webpubsub.{hub}.{kind}.{event}",
          jetStream: input.jetStream ?? false,
          credentials: natsCredentials(input, refuse),
        };
      case "HttpBatch": {
        const url = required("url", input.url);
        if (/^tunnel:/i.test(url)) refuse("url", "must be an absolute http or https URL");
        if (/\{event\}/i.test(url)) refuse("url", "must not have {event}: a batch holds events of any name");
        return { type: input.type, url, auth: input.auth === null ? { type: "None" } : authOf(input.auth) };
      }
    }
  };
  return { value: value(), problems };
}

/** A listener in Azure uses the managed identity without saying so. */
const noAuth = {
  type: "ManagedIdentity",
  token: null,
  tokenFile: null,
  tokenUrl: null,
  clientId: null,
  clientSecret: null,
  clientSecretFile: null,
  privateKey: null,
  privateKeyFile: null,
  scope: null,
  audience: null,
} as const;

function natsCredentials(
  { username, password, token, credentials }: EndpointInput,
  refuse: (key: string, message: string) => void,
): Extract<ListenerEndpoint, { type: "Nats" }>["credentials"] {
  const given = [username ?? password, token, credentials].filter((value) => value !== null).length;
  if (given > 1) refuse("credentials", "only one of username, token and credentials can be used");
  if (credentials !== null) return { kind: "file", content: credentials };
  if (token !== null) return { kind: "token", token };
  if (username === null && password === null) return { kind: "none" };
  if (username === null || password === null) refuse("username", "and password belong together");
  return { kind: "password", username: username ?? "", password: password ?? "" };
}
