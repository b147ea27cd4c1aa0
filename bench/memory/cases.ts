import type { Endpoint } from "../load/job.ts";
import { nowSeconds, signToken } from "../load/sign.ts";
import { type Crowd, type CrowdOptions, cutOff, joinGroups } from "./clients.ts";

/** Something whose memory is measured: clients, and what is done with them. */
export interface MemoryCase {
  readonly title: string;
  readonly clients: CrowdOptions;
  /** What is measured: the clients and the step together, or only the step, or how many of something it makes. */
  readonly price: "of each client" | { readonly stepPerClient: number };
  readonly step?: (endpoint: Endpoint, crowd: Crowd) => Promise<void>;
}

const groupsEach = 10;
const messagesEach = 10;
const textLength = 200;
const hall = "hall";

const json = { subprotocol: "json.webpubsub.azure.v1" } as const;
const reliable = { subprotocol: "json.reliable.webpubsub.azure.v1" } as const;
const reliableInHall = { ...reliable, groups: [hall] };

/** Everything that is measured, in the order of the table. */
export const memoryCases: readonly MemoryCase[] = [
  { title: "idle simple connection", clients: { subprotocol: null }, price: "of each client" },
  { title: "idle json connection", clients: json, price: "of each client" },
  { title: "idle json.reliable connection", clients: reliable, price: "of each client" },
  {
    title: "idle protobuf connection",
    clients: { subprotocol: "protobuf.webpubsub.azure.v1" },
    price: "of each client",
  },
  {
    title: "idle protobuf.reliable connection",
    clients: { subprotocol: "protobuf.reliable.webpubsub.azure.v1" },
    price: "of each client",
  },
  {
    title: `membership in one of ${groupsEach} groups shared by all`,
    clients: json,
    price: { stepPerClient: groupsEach },
    step: (_, crowd) => joinGroups(crowd, groupsEach, (_client, group) => `shared${group}`),
  },
  {
    title: "membership in a group of one's own",
    clients: json,
    price: { stepPerClient: groupsEach },
    step: (_, crowd) => joinGroups(crowd, groupsEach, (client, group) => `own${client}-${group}`),
  },
  {
    title: "detached json.reliable connection, nothing kept",
    clients: reliable,
    price: "of each client",
    step: (_, crowd) => cutOff(crowd),
  },
  {
    title: `detached json.reliable connection, ${messagesEach} messages kept, the same for all`,
    clients: reliableInHall,
    price: "of each client",
    async step(endpoint, crowd) {
      await publishToHall(endpoint, crowd);
      await cutOff(crowd);
    },
  },
  {
    title: `detached json.reliable connection, ${messagesEach} messages kept, for it alone`,
    clients: reliable,
    price: "of each client",
    async step(endpoint, crowd) {
      await sendToEach(endpoint, crowd);
      await cutOff(crowd);
    },
  },
  {
    title: `message of ${textLength} bytes kept for a connection, the same for all`,
    clients: reliableInHall,
    price: { stepPerClient: messagesEach },
    step: publishToHall,
  },
  {
    title: `message of ${textLength} bytes kept for a connection, for it alone`,
    clients: reliable,
    price: { stepPerClient: messagesEach },
    step: sendToEach,
  },
];

/** Messages to all at once, which nobody confirms. */
async function publishToHall(endpoint: Endpoint, crowd: Crowd): Promise<void> {
  const arrived = crowd.receive(crowd.sockets.length * messagesEach);
  for (let sent = 0; sent < messagesEach; sent++) await post(endpoint, `/groups/${hall}/:send`);
  await arrived;
}

/** As many messages, but to one client each. */
async function sendToEach(endpoint: Endpoint, crowd: Crowd): Promise<void> {
  const arrived = crowd.receive(crowd.sockets.length * messagesEach);
  for (let sent = 0; sent < messagesEach; sent++) {
    for (let user = 0; user < crowd.sockets.length; user++) await post(endpoint, `/users/user${user}/:send`);
  }
  await arrived;
}

async function post({ port, accessKey }: Endpoint, path: string): Promise<void> {
  const url = `http://127.0.0.1:${port}/api/hubs/bench${path}`;
  const token = signToken(accessKey, { exp: nowSeconds() + 3600, aud: url });
  const headers = { authorization: `Bearer ${token}`, "content-type": "text/plain" };
  const response = await fetch(url, { method: "POST", headers, body: "x".repeat(textLength) });
  if (response.status !== 202) throw new Error(`a message was refused with ${response.status}`);
}
