/** The package each kind of endpoint needs, which the operator installs beside the service; null for none. */
export const sinkPackages = {
  EventHub: "@azure/event-hubs",
  Kafka: "kafkajs",
  Nats: "@nats-io/transport-node",
  HttpBatch: null,
} as const;

type SinkPackage = NonNullable<(typeof sinkPackages)[keyof typeof sinkPackages]>;

/** What of each package is used. Ours, because they are optional and some of their own types do not pass our checks. */
interface Libraries {
  readonly "@azure/event-hubs": EventHubsLibrary;
  readonly kafkajs: KafkaLibrary;
  readonly "@nats-io/transport-node": NatsLibrary;
}

/** Loads a package when its first event is sent; rejects if it is not installed. */
export async function loadPackage<Name extends SinkPackage>(name: Name): Promise<Libraries[Name]> {
  return (await import(name)) as Libraries[Name];
}

/** `@azure/event-hubs` 6. */
export interface EventHubsLibrary {
  readonly EventHubProducerClient: new (
    ...place:
      | readonly [connectionString: string, eventHubName: string, options: object]
      | readonly [
          fullyQualifiedNamespace: string,
          eventHubName: string,
          credential: { getToken(): Promise<{ token: string; expiresOnTimestamp: number }> },
          options: object,
        ]
  ) => EventHubProducer;
}

export interface EventHubProducer {
  createBatch(options: { partitionKey: string; abortSignal: AbortSignal }): Promise<EventHubTransfer>;
  /** Rejects unless the event hub has settled the transfer as taken. */
  sendBatch(batch: EventHubTransfer, options: { abortSignal: AbortSignal }): Promise<void>;
  close(): Promise<void>;
}

export interface EventHubTransfer {
  /** False: it does not fit any more. */
  tryAdd(event: EventHubEvent): boolean;
}

export interface EventHubEvent {
  readonly body: Buffer;
  readonly contentType: string;
  readonly messageId: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** `kafkajs` 2. */
export interface KafkaLibrary {
  readonly Kafka: new (config: object) => { producer(config: object): KafkaProducer };
  readonly logLevel: { readonly NOTHING: number };
  readonly Partitioners: { readonly DefaultPartitioner: object };
}

export interface KafkaProducer {
  connect(): Promise<void>;
  sendBatch(batch: {
    readonly acks: number;
    readonly topicMessages: readonly { readonly topic: string; readonly messages: readonly KafkaMessage[] }[];
  }): Promise<unknown>;
  disconnect(): Promise<void>;
}

export interface KafkaMessage {
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** `@nats-io/transport-node` 3. */
export interface NatsLibrary {
  connect(options: object): Promise<NatsConnection>;
  headers(): NatsHeaders;
  credsAuthenticator(credentials: Uint8Array): object;
  readonly errors: {
    readonly NoRespondersError: new () => Error;
    readonly InvalidArgumentError: new () => Error;
    readonly PermissionViolationError: new () => Error & { readonly subject: string };
  };
}

export interface NatsHeaders {
  set(name: string, value: string): void;
}

export interface NatsConnection {
  /** Throws what the server would not take. */
  publish(subject: string, data: Uint8Array, options: { headers: NatsHeaders }): void;
  request(
    subject: string,
    data: Uint8Array,
    options: { headers: NatsHeaders; timeout: number },
  ): Promise<{ string(): string }>;
  /** Resolves when the server has read everything before. */
  flush(): Promise<void>;
  isClosed(): boolean;
  status(): AsyncIterable<{ readonly type: string; readonly error?: unknown }>;
  close(): Promise<void>;
}
