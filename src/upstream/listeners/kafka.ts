import { attributesOf, bodyBytes, type ListenerEvent, metadataProperties } from "./event.ts";
import { parseNameTemplate } from "./name-template.ts";
import { type KafkaMessage, type KafkaProducer, loadPackage } from "./optional-packages.ts";
import type { ListenerEndpoint } from "./settings.ts";
import { type EventSink, giveUp, reasonOf, type SendFailure } from "./sink.ts";

type KafkaEndpoint = Extract<ListenerEndpoint, { type: "Kafka" }>;

const connectTimeoutMs = 10_000;
const requestTimeoutMs = 20_000;
/** Of the library, for leaders that moved: our own pauses are between batches. */
const retry = { retries: 2, initialRetryTime: 100, maxRetryTime: 1000 } as const;
/** Everything but letters, digits, `.`, `_` and `-`, which topic names are made of. */
const illegalInTopic = /[^A-Za-z0-9._-]/g;
/** Answers of a broker to a message or batch that is too big. */
const tooBig = new Set(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"]);

/**
 * Creates a sink that produces in the binary mode of CloudEvents for Kafka, keyed by connection, or with Azure's AMQP
 * names as headers. Taken when all in-sync replicas have it.
 *
 * A batch that goes to several brokers and fails at one is sent again as a whole if that broker took nothing: what the
 * others had taken then arrives twice, with the same `ce_source` and `ce_id`.
 * @spec E-87
 */
export function createKafkaSink(endpoint: KafkaEndpoint): EventSink {
  return new KafkaSink(endpoint);
}

class KafkaSink implements EventSink {
  readonly name: string;
  readonly #endpoint: KafkaEndpoint;
  readonly #topic: ReturnType<typeof parseNameTemplate>;
  #producer: KafkaProducer | null = null;

  constructor(endpoint: KafkaEndpoint) {
    this.#endpoint = endpoint;
    this.#topic = parseNameTemplate(endpoint.topic, illegalInTopic);
    this.name = `Kafka ${endpoint.brokers.join(",")}`;
  }

  async send(batch: readonly ListenerEvent[], signal: AbortSignal): Promise<readonly SendFailure[]> {
    const producer = await this.#connect().catch((error: unknown) => reasonOf(error));
    if (typeof producer === "string") return [{ kind: "unavailable", events: batch, reason: producer }];
    if (signal.aborted) {
      await this.close();
      return [];
    }
    const drop = (): void => giveUp(this.close());
    signal.addEventListener("abort", drop);
    const byTopic = Map.groupBy(batch, ({ hub }) => this.#topic.fill({ hub }));
    const topicMessages = Array.from(byTopic, ([topic, events]) => ({
      topic,
      messages: events.map((event) => this.#message(event)),
    }));
    try {
      await producer.sendBatch({ topicMessages, acks: -1 });
      return [];
    } catch (error) {
      return [{ kind: verdict(error), events: batch, reason: reasonOf(error) }];
    } finally {
      signal.removeEventListener("abort", drop);
      // What was given up may have connected to another broker since.
      if (signal.aborted) await producer.disconnect();
    }
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    await producer?.disconnect();
  }

  /** The library reconnects to brokers by itself; only the first connection is ours. */
  async #connect(): Promise<KafkaProducer> {
    if (this.#producer !== null) return this.#producer;
    const { Kafka, logLevel, Partitioners } = await loadPackage("kafkajs");
    const { brokers, tls, sasl } = this.#endpoint;
    const config = {
      clientId: "tidewire",
      brokers: [...brokers],
      ssl: tls,
      connectionTimeout: connectTimeoutMs,
      authenticationTimeout: connectTimeoutMs,
      requestTimeout: requestTimeoutMs,
      retry,
      logLevel: logLevel.NOTHING,
      ...(sasl === null ? {} : { sasl }),
    };
    const producer = new Kafka(config).producer({ createPartitioner: Partitioners.DefaultPartitioner });
    try {
      await producer.connect();
    } catch (error) {
      await producer.disconnect(); // a failed one keeps sockets and timers
      throw error;
    }
    this.#producer = producer;
    return producer;
  }

  #message(event: ListenerEvent): KafkaMessage {
    const isAmqp = this.#endpoint.attributeStyle === "amqp";
    const headers: Record<string, string> = { "content-type": event.contentType };
    for (const [name, value] of attributesOf(event)) headers[isAmqp ? `cloudEvents:${name}` : `ce_${name}`] = value;
    for (const [name, value] of metadataProperties(event)) headers[name] = value;
    return { key: event.connectionId, value: bodyBytes(event), headers };
  }
}

/** What a failed produce request says about its messages; the library wraps the error that ended its retries. */
function verdict(error: unknown): SendFailure["kind"] {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const type = "type" in cause ? String(cause.type) : "";
    if (tooBig.has(type)) return "refusedTogether";
    // The broker's own refusal, or a connection that was never made.
    if (cause.name === "KafkaJSProtocolError") return isRetriable(cause) ? "unavailable" : "refusedTogether";
    if (cause.name === "KafkaJSConnectionError" && "code" in cause && cause.code === "ECONNREFUSED")
      return "unavailable";
    if (cause.name === "KafkaJSSASLAuthenticationError") return "unavailable";
  }
  return "unknown";
}

function isRetriable(error: Error): boolean {
  return "retriable" in error && error.retriable === true && !("type" in error && error.type === "REQUEST_TIMED_OUT");
}
