import { linesOf } from "../../parts/lines.ts";

/** The form of the Client URL Generator, as typed. */
export interface ClientAccessForm {
  readonly hub: string;
  readonly userId: string;
  /** One in each line. */
  readonly groups: string;
  readonly sendsToAnyGroup: boolean;
  readonly sendsToGroups: string;
  readonly joinsAnyGroup: boolean;
  readonly joinsGroups: string;
  readonly minutes: string;
  readonly protocol: string;
  readonly endpoint: string;
}

export interface Protocol {
  /** What the form calls it. */
  readonly id: string;
  readonly title: string;
  /** What the client names when it connects; null: nothing. */
  readonly subprotocol: string | null;
  /** Expression for the official client library, where it speaks the protocol. */
  readonly library: string | null;
}

/** What a client may speak. The URL is the same for all of them. */
export const protocols: readonly Protocol[] = [
  { id: "none", title: "None (simple WebSocket client)", subprotocol: null, library: null },
  {
    id: "json",
    title: "JSON",
    subprotocol: "json.webpubsub.azure.v1",
    library: "WebPubSubJsonProtocol",
  },
  {
    id: "json-reliable",
    title: "JSON, reliable",
    subprotocol: "json.reliable.webpubsub.azure.v1",
    library: "WebPubSubJsonReliableProtocol",
  },
  { id: "protobuf", title: "Protobuf", subprotocol: "protobuf.webpubsub.azure.v1", library: null },
  {
    id: "protobuf-reliable",
    title: "Protobuf, reliable",
    subprotocol: "protobuf.reliable.webpubsub.azure.v1",
    library: null,
  },
];

/** The roles a form asks for; a role for any group makes those for single groups needless. */
export function rolesOf(form: ClientAccessForm): readonly string[] {
  const rolesFor = (role: string, isForAny: boolean, groups: string): readonly string[] =>
    isForAny ? [role] : linesOf(groups).map((group) => `${role}.${group}`);
  return [
    ...rolesFor("webpubsub.sendToGroup", form.sendsToAnyGroup, form.sendsToGroups),
    ...rolesFor("webpubsub.joinLeaveGroup", form.joinsAnyGroup, form.joinsGroups),
  ];
}

/** What the Playground is opened with, never the token: it makes its own. */
export function playgroundParameters(form: ClientAccessForm): Readonly<Record<string, string | readonly string[]>> {
  return {
    hub: form.hub.trim(),
    userId: form.userId,
    group: linesOf(form.groups),
    role: rolesOf(form),
    protocol: protocols.find(({ id }) => id === form.protocol)?.subprotocol ?? "none",
  };
}

/** How a client of this protocol connects, in JavaScript; `url` is the client URL. */
export function connectCode({ subprotocol, library }: Protocol): string {
  const socket =
    subprotocol === null
      ? "const socket = new WebSocket(url);"
      : `const socket = new WebSocket(url, ${JSON.stringify(subprotocol)});`;
  if (library === null) return socket;
  return [
    socket,
    "",
    "// or with @azure/web-pubsub-client",
    `const client = new WebPubSubClient(url, { protocol: ${library}() });`,
    "await client.start();",
  ].join("\n");
}

/** Names of hubs to suggest: those with settings and those in use, each once. */
export function hubSuggestions(configured: readonly string[], inUse: readonly string[]): readonly string[] {
  const names = new Map([...configured, ...inUse].map((name) => [name.toLowerCase(), name]));
  return [...names.values()].filter((name) => name !== "*" && name !== "_default").toSorted();
}
