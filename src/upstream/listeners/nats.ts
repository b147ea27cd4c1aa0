import { attributesOf, bodyBytes, type ListenerEvent, messageId, metadataProperties } from "./event.ts";
import { parseNameTemplate } from "./name-template.ts";
import { loadPackage, type NatsConnection, type NatsLibrary } from "./optional-packages.ts";
import type { ListenerEndpoint } from "./settings.ts";
import { type EventSink, giveUp, reasonOf, type SendFailure } from "./sink.ts";

type NatsEndpoint = Extract<ListenerEndpoint, { type: "Nats" }>;

/** A connection with the library it came from. */
interface Link {
  readonly connection: NatsConnection;
  readonly library: NatsLibrary;
}

const connectTimeoutMs = 10_000;
/** JetStream answers when the event is stored. */
const ackTimeoutMs = 10_000;
/** Separators, wildcards, white space and control characters of subjects. */
const illegalInSubject = /[.*>\s\p{Cc}]/gu;

/**
 * Creates a sink that publishes in the binary mode of CloudEvents for NATS. Core NATS: taken when the server has read it;
 * JetStream: when it is stored, and an event sent again is recognised by its `Nats-Msg-Id`.
 * @spec E-87
 */
export function createNatsSink(endpoint: NatsEndpoint): EventSink {
  return new NatsSink(endpoint);
}

class NatsSink implements EventSink {
  readonly name: string;
  readonly #endpoint: NatsEndpoint;
  readonly #subject: ReturnType<typeof parseNameTemplate>;
  #link: Link | null = null;
  /** Why the server did not let an event through, by subject; it says so in between, not in an answer. */
  readonly #denied = new Map<string, string>();

  constructor(endpoint: NatsEndpoint) {
    this.#endpoint = endpoint;
    this.#subject = parseNameTemplate(endpoint.subject, illegalInSubject);
    this.name = `Nats ${endpoint.servers.map(withoutUserinfo).join(",")}`;
  }

  async send(batch: readonly ListenerEvent[], signal: AbortSignal): Promise<readonly SendFailure[]> {
    const link = await this.#connect().catch((error: unknown) => reasonOf(error));
    if (typeof link === "string") return [{ kind: "unavailable", events: batch, reason: link }];
    const { connection } = link;
    if (signal.aborted) {
      await this.close();
      return [];
    }
    const drop = (): void => giveUp(connection.close());
    signal.addEventListener("abort", drop);
    try {
      return this.#endpoint.jetStream ? await this.#store(batch, link) : await this.#publish(batch, link);
    } finally {
      signal.removeEventListener("abort", drop);
    }
  }

  async close(): Promise<void> {
    const link = this.#link;
    this.#link = null;
    await link?.connection.close();
  }

  async #publish(batch: readonly ListenerEvent[], link: Link): Promise<readonly SendFailure[]> {
    const { connection } = link;
    const failures: SendFailure[] = [];
    this.#denied.clear();
    for (const event of batch) {
      const { subject, data, headers } = this.#message(event, link.library);
      try {
        connection.publish(subject, data, { headers });
      } catch (error) {
        if (connection.isClosed()) return [{ kind: "unknown", events: batch, reason: reasonOf(error) }];
        failures.push({ kind: "refused", events: [event], reason: reasonOf(error) }); // bigger than the server takes
      }
    }
    await connection.flush();
    // What the server denied it has said before; the library tells it in a later turn.
    await new Promise((resolve) => setImmediate(resolve));
    for (const [subject, reason] of this.#denied) {
      const events = batch.filter((event) => this.#subjectOf(event) === subject);
      failures.push({ kind: "refused", events, reason });
    }
    return failures;
  }

  async #store(batch: readonly ListenerEvent[], link: Link): Promise<readonly SendFailure[]> {
    const results = await Promise.all(batch.map((event) => this.#storeOne(event, link)));
    const failures = results.filter((result) => result !== null);
    const isOnlyThese = failures.length < batch.length;
    // A stream that takes the others is there: these have none.
    return isOnlyThese ? failures.map((each) => (each.isNoStream ? { ...each, kind: "refused" } : each)) : failures;
  }

  async #storeOne(
    event: ListenerEvent,
    { connection, library }: Link,
  ): Promise<(SendFailure & { readonly isNoStream: boolean }) | null> {
    const { subject, data, headers } = this.#message(event, library);
    headers.set("Nats-Msg-Id", messageId(event));
    const events = [event];
    try {
      const answer = await connection.request(subject, data, { headers, timeout: ackTimeoutMs });
      const problem = storeProblem(answer.string());
      return problem === null ? null : { kind: "refused", events, reason: problem, isNoStream: false };
    } catch (error) {
      const isNoStream = error instanceof library.errors.NoRespondersError || hasCause(error, library);
      if (error instanceof library.errors.InvalidArgumentError)
        return { kind: "refused", events, reason: reasonOf(error), isNoStream };
      // Sending it again is safe: what was stored already is recognised by its id.
      const reason = isNoStream ? `no stream takes ${subject}` : reasonOf(error);
      return { kind: "unavailable", events, reason, isNoStream };
    }
  }

  #subjectOf({ hub, kind, event }: ListenerEvent): string {
    return this.#subject.fill({ hub, kind, event });
  }

  #message(event: ListenerEvent, library: NatsLibrary) {
    const headers = library.headers();
    for (const [name, value] of attributesOf(event)) headers.set(`ce-${name}`, headerValue(value));
    headers.set("content-type", event.contentType);
    for (const [name, value] of metadataProperties(event)) headers.set(name, headerValue(value));
    return { subject: this.#subjectOf(event), data: bodyBytes(event), headers };
  }

  /** The connection, made anew when it was lost: while it is down the events wait in our queue, not in the library's. */
  async #connect(): Promise<Link> {
    if (this.#link !== null && !this.#link.connection.isClosed()) return this.#link;
    const library = await loadPackage("@nats-io/transport-node");
    const { servers, credentials } = this.#endpoint;
    const connection = await library.connect({
      servers: [...servers],
      name: "tidewire",
      reconnect: false,
      timeout: connectTimeoutMs,
      ...authentication(credentials, library),
    });
    this.#link = { connection, library };
    void this.#watch(connection, library);
    return this.#link;
  }

  async #watch(connection: NatsConnection, library: NatsLibrary): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type !== "error") continue;
      const { error } = status;
      if (error instanceof library.errors.PermissionViolationError) this.#denied.set(error.subject, error.message);
    }
  }
}

function authentication(credentials: NatsEndpoint["credentials"], library: NatsLibrary): object {
  switch (credentials.kind) {
    case "none":
      return {};
    case "password":
      return { user: credentials.username, pass: credentials.password };
    case "token":
      return { token: credentials.token };
    case "file":
      return { authenticator: library.credsAuthenticator(new TextEncoder().encode(credentials.content)) };
  }
}

/** Header values hold no control characters; a user id may, and is percent-encoded there. */
function headerValue(value: string): string {
  return value.replaceAll(/\p{Cc}/gu, (char) => encodeURIComponent(char));
}

/** What a JetStream acknowledgement complains about, or null. */
function storeProblem(answer: string): string | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(answer);
  } catch {
    return "the answer is not one of JetStream";
  }
  if (typeof parsed !== "object" || parsed === null) return "the answer is not one of JetStream";
  if (!("error" in parsed)) return "stream" in parsed ? null : "the answer is not one of JetStream";
  const { error } = parsed;
  const text = typeof error === "object" && error !== null && "description" in error ? String(error.description) : "";
  return `the stream refused it: ${text}`;
}

function hasCause(error: unknown, { errors }: NatsLibrary): boolean {
  return error instanceof Error && error.cause instanceof errors.NoRespondersError;
}

function withoutUserinfo(server: string): string {
  return server.replace(/\/\/[^@/]*@/, "//");
}
