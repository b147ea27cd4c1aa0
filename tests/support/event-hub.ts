import type { AddressInfo, Socket } from "node:net";
import rhea, { type Connection, type EventContext, type Message, type Sender } from "rhea";
import { Inbox } from "./inbox.ts";

/** A message as the event hub stored it. */
export interface HubMessage {
  readonly body: Buffer;
  readonly contentType: unknown;
  readonly messageId: unknown;
  readonly partitionKey: unknown;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** An AMQP 1.0 peer that behaves like the Event Hubs emulator towards a producer; one event hub, any name. */
export interface EventHub {
  readonly connectionString: string;
  readonly messages: Inbox<HubMessage>;
  /** Tokens of `$cbs` requests. */
  readonly tokens: readonly string[];
  /** Answers transfers from now on: takes them (default), refuses them with a condition, or never settles them. */
  answer(how: "accept" | "never" | { readonly condition: string }): void;
  /** Cuts every connection. */
  cut(): void;
  stop(): Promise<void>;
}

/** Starts one on a free loopback port, or the given one. The name of its key is `test`. */
export async function startEventHub(port = 0): Promise<EventHub> {
  const messages = new Inbox<HubMessage>();
  const tokens: string[] = [];
  const sockets = new Set<Socket>();
  let how: Parameters<EventHub["answer"]>[0] = "accept";
  const container = rhea.create_container();
  container.options = { receiver_options: { autoaccept: false, max_message_size: 1_048_576 } };
  container.on("disconnected", () => undefined);
  container.on("error", (error: unknown) => console.error("event hub of the test:", error));
  const answers = new Map<Connection, Sender>();
  container.on("sender_open", ({ sender, connection }: EventContext) => {
    if (sender === undefined) return;
    sender.set_source(sender.source);
    if (sender.source.address === "$cbs") answers.set(connection, sender);
  });
  container.on("receiver_open", ({ receiver }: EventContext) => {
    if (receiver === undefined) return;
    receiver.set_target(receiver.target);
  });
  container.on("message", ({ receiver, connection, message, delivery }: EventContext) => {
    if (receiver === undefined || message === undefined || delivery === undefined) return;
    if (receiver.target.address === "$cbs") {
      delivery.accept();
      tokens.push(String(message.body));
      answers.get(connection)?.send({
        correlation_id: message.message_id,
        application_properties: { "status-code": 202, "status-description": "Accepted" },
        body: "",
      } as Message);
      return;
    }
    if (how === "never") return;
    if (how !== "accept") {
      delivery.reject({ condition: how.condition, description: "refused by the test" });
      return;
    }
    for (const each of unpack(message)) messages.push(each);
    delivery.accept();
  });
  const server = container.listen({ port, host: "127.0.0.1" });
  await new Promise<void>((resolve) => server.once("listening", resolve));
  const address = server.address() as AddressInfo;
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    connectionString: `Endpoint=sb://127.0.0.1:${address.port};SharedAccessKeyName=test;SharedAccessKey=event-hub-key-of-a-test;UseDevelopmentEmulator=true;`,
    messages,
    tokens,
    answer(next) {
      how = next;
    },
    cut,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}

/** A transfer in the batch format comes undecoded: its data sections are encoded messages. */
function unpack(message: unknown): readonly HubMessage[] {
  if (!Buffer.isBuffer(message)) return [hubMessage(message as Parts, undefined)];
  const batch = rhea.message.decode(message) as unknown as Parts;
  const { content } = batch.body;
  const encoded = Array.isArray(content) ? content : [content];
  return encoded.map((each) => hubMessage(rhea.message.decode(each) as unknown as Parts, batch));
}

/** The parts of a decoded message that producers of an event hub use; its data are sections. */
interface Parts {
  readonly body: { readonly content: Buffer | Buffer[] };
  readonly content_type?: unknown;
  readonly message_id?: unknown;
  readonly message_annotations?: Readonly<Record<string, unknown>>;
  readonly application_properties?: Readonly<Record<string, unknown>>;
}

/** The partition key of a batch stands in its own annotations. */
function hubMessage(message: Parts, batch: Parts | undefined): HubMessage {
  const { content } = message.body;
  return {
    body: Buffer.concat(Array.isArray(content) ? content : [content]),
    contentType: message.content_type,
    messageId: message.message_id,
    partitionKey: (batch ?? message).message_annotations?.["x-opt-partition-key"],
    properties: message.application_properties ?? {},
  };
}
