import type { Authenticator } from "../webhooks/handler-auth.ts";
import { attributesOf, bodyBytes, type ListenerEvent, messageId, metadataProperties } from "./event.ts";
import { type EventHubEvent, type EventHubProducer, loadPackage } from "./optional-packages.ts";
import type { ListenerEndpoint } from "./settings.ts";
import { type EventSink, giveUp, reasonOf, type SendFailure } from "./sink.ts";

type EventHubEndpoint = Extract<ListenerEndpoint, { type: "EventHub" }>;
type Verdict = Pick<SendFailure, "kind" | "reason">;

/** Transfers under way at once; each carries events of one connection, as Event Hubs wants one partition key each. */
const maxTransfers = 16;
const transferTimeoutMs = 20_000;
/** How long the library may use a token before it asks again; ours keeps tokens itself. */
const tokenUseMs = 300_000;
/** Conditions under which the event hub has not taken the transfer, now and later. */
const refusals = new Set(["MessageTooLargeError", "ArgumentError", "ArgumentOutOfRangeError"]);
/** It is not reached, or not ready. */
const absences = new Set([
  "ServerBusyError",
  "ServiceUnavailableError",
  "SenderNotReadyError",
  "SenderBusyError",
  "InsufficientCreditError",
  "UnauthorizedError",
  "MessagingEntityNotFoundError",
  "MessagingEntityDisabledError",
  "ServiceCommunicationError",
]);

export interface TokenParts {
  readonly authenticator: Authenticator | null;
  readonly now: () => number;
}

/**
 * Creates a sink for an event hub, its emulator included: a transfer per connection and batch, its connection id as
 * partition key. Taken when the event hub has settled it.
 * @spec E-84
 */
export function createEventHubSink(endpoint: EventHubEndpoint, tokens: TokenParts): EventSink {
  return new EventHubSink(endpoint, tokens);
}

class EventHubSink implements EventSink {
  readonly name: string;
  readonly #endpoint: EventHubEndpoint;
  readonly #tokens: TokenParts;
  #producer: EventHubProducer | null = null;

  constructor(endpoint: EventHubEndpoint, tokens: TokenParts) {
    this.#endpoint = endpoint;
    this.#tokens = tokens;
    this.name = `EventHub ${endpoint.eventHubName}`;
  }

  async send(batch: readonly ListenerEvent[], signal: AbortSignal): Promise<readonly SendFailure[]> {
    if (this.#endpoint.access.kind === "token" && this.#tokens.authenticator === null) {
      const reason = "there are no credentials: set connectionString, or auth.managedIdentity";
      return [{ kind: "unavailable", events: batch, reason }];
    }
    const producer = await this.#open().catch((error: unknown) => reasonOf(error));
    if (typeof producer === "string") return [{ kind: "unavailable", events: batch, reason: producer }];
    if (signal.aborted) {
      await this.close();
      return [];
    }
    const drop = (): void => giveUp(this.close());
    signal.addEventListener("abort", drop);
    const groups = Map.groupBy(batch, ({ connectionId }) => connectionId).values();
    const failures: SendFailure[] = [];
    const work = async (): Promise<void> => {
      for (const events of groups) failures.push(...(await this.#transfer(producer, { events, signal })));
    };
    await Promise.all(Array.from({ length: maxTransfers }, work));
    signal.removeEventListener("abort", drop);
    return failures;
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    await producer?.close();
  }

  /** Sends events of one connection, in as few transfers as their sizes allow. */
  async #transfer(
    producer: EventHubProducer,
    { events, signal }: { readonly events: readonly ListenerEvent[]; readonly signal: AbortSignal },
  ): Promise<readonly SendFailure[]> {
    const failures: SendFailure[] = [];
    let rest = events;
    while (rest.length > 0) {
      let count = 0;
      try {
        const transfer = await producer.createBatch({ partitionKey: rest[0]?.connectionId ?? "", abortSignal: signal });
        while (count < rest.length && transfer.tryAdd(eventData(rest[count]))) count += 1;
        if (count === 0) {
          failures.push({ kind: "refused", events: rest.slice(0, 1), reason: "it is bigger than the event hub takes" });
          count = 1;
        } else await producer.sendBatch(transfer, { abortSignal: signal });
      } catch (error) {
        // Those behind wait too, so that the connection's order holds.
        const { kind, reason } = verdict(error, count === 0);
        if (kind === "unavailable") return [...failures, { kind, events: rest, reason }];
        failures.push({ kind, events: rest.slice(0, Math.max(1, count)), reason });
        count = Math.max(1, count);
      }
      rest = rest.slice(count);
    }
    return failures;
  }

  async #open(): Promise<EventHubProducer> {
    if (this.#producer !== null) return this.#producer;
    const { EventHubProducerClient } = await loadPackage("@azure/event-hubs");
    const { eventHubName, access } = this.#endpoint;
    const options = {
      identifier: "tidewire",
      userAgent: "tidewire",
      // Repeating is the queue's decision: it knows what may be sent twice.
      retryOptions: { maxRetries: 0, timeoutInMs: transferTimeoutMs },
    };
    this.#producer =
      access.kind === "connectionString"
        ? new EventHubProducerClient(access.connectionString, eventHubName, options)
        : new EventHubProducerClient(access.fullyQualifiedNamespace, eventHubName, this.#credential(), options);
    return this.#producer;
  }

  #credential() {
    const { authenticator, now } = this.#tokens;
    return {
      async getToken() {
        const value = (await authenticator?.authorization()) ?? null;
        if (value === null) throw new Error("no access token could be had");
        return { token: value.replace(/^Bearer /, ""), expiresOnTimestamp: now() + tokenUseMs };
      },
    };
  }
}

/** @spec E-84 */
function eventData(event: ListenerEvent | undefined): EventHubEvent {
  if (event === undefined) throw new Error("there is no such event");
  const properties: Record<string, string> = {};
  for (const [name, value] of attributesOf(event)) properties[`cloudEvents:${name}`] = value;
  for (const [name, value] of metadataProperties(event)) properties[name] = value;
  return { body: bodyBytes(event), contentType: event.contentType, messageId: messageId(event), properties };
}

function verdict(error: unknown, isBeforeTransfer: boolean): Verdict {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reason = reasonOf(error);
  if (isBeforeTransfer || absences.has(code) || /ECONNREFUSED|ENOTFOUND/.test(`${code} ${reason}`)) {
    return { kind: "unavailable", reason };
  }
  return { kind: refusals.has(code) ? "refused" : "unknown", reason };
}
