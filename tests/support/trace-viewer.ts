import { defaultDeadlineMs } from "./inbox.ts";
import { signToken } from "./tokens.ts";
import { openWebSocket, type WebSocketClient } from "./web-socket.ts";

/** Whom a live trace token is for. */
interface Issuer {
  readonly endpoint: string;
  readonly primaryKey: string;
}

/** One line of the service, its message with the values in place. */
export interface TraceLine {
  readonly time: string;
  readonly eventId: number;
  readonly logContext: Readonly<Record<string, unknown>>;
  readonly values: readonly unknown[];
  readonly exceptionMessage: string | null;
}

/** What the service says, one message of the hub protocol each. */
export type TraceMessage = Readonly<Record<string, unknown>>;

const separator = "\u001e";

/** A token as the official trace views sign it. */
export function traceToken({ endpoint, primaryKey }: Issuer, claims: Readonly<Record<string, unknown>> = {}): string {
  const now = Math.floor(Date.now() / 1000);
  return signToken({ aud: `${endpoint}/livetrace`, iat: now, exp: now + 3600, ...claims }, { key: primaryKey });
}

/** Path of the endpoint with a token. */
export function tracePath(issuer: Issuer, token = traceToken(issuer)): string {
  return `/livetrace?access_token=${token}`;
}

/** The client side of `/livetrace`, spoken by hand. */
export class TraceViewer {
  readonly #socket: WebSocketClient;
  readonly #read: TraceMessage[] = [];

  constructor(socket: WebSocketClient) {
    this.#socket = socket;
  }

  get socket(): WebSocketClient {
    return this.#socket;
  }

  send(...messages: readonly object[]): void {
    this.#socket.send(messages.map((message) => JSON.stringify(message) + separator).join(""));
  }

  call(target: string, ...args: readonly unknown[]): void {
    this.send({ type: 1, target, arguments: args });
  }

  /** The next message, pings left out. */
  async next(): Promise<TraceMessage> {
    for (;;) {
      const message = this.#read.shift();
      if (message === undefined) await this.#receive();
      else if (message["type"] !== 6) return message;
    }
  }

  /** The next line that passes, earlier ones skipped. */
  async line(where: (line: TraceLine) => boolean, withinMs = defaultDeadlineMs): Promise<TraceLine> {
    const giveUp = Date.now() + withinMs;
    const seen: unknown[] = [];
    while (Date.now() < giveUp) {
      const line = lineOf(await this.next());
      if (line !== null && where(line)) return line;
      seen.push(line?.values);
    }
    throw new Error(`no such line; seen: ${JSON.stringify(seen)}`);
  }

  async #receive(): Promise<void> {
    const message = await this.#socket.next();
    if (message.kind !== "text") throw new Error(`instead of text came ${message.kind}`);
    const parts = message.text.split(separator);
    if (parts.pop() !== "") throw new Error("a message has no separator behind it");
    this.#read.push(...parts.map((part) => JSON.parse(part) as TraceMessage));
  }
}

/** The line in a message; null for every other message. */
export function lineOf(message: TraceMessage): TraceLine | null {
  return message["type"] === 1 && message["target"] === "logEvent"
    ? ((message["arguments"] as TraceLine[])[0] ?? null)
    : null;
}

/** Connects and shakes hands; `listening` false: asks for no lines yet. */
export async function openTrace(issuer: Issuer, options: { readonly listening?: boolean } = {}): Promise<TraceViewer> {
  const viewer = new TraceViewer(await openWebSocket(issuer.endpoint, { path: tracePath(issuer) }));
  viewer.send({ protocol: "json", version: 1 });
  const answer = await viewer.next();
  if (Object.keys(answer).length > 0) throw new Error(`the handshake was answered ${JSON.stringify(answer)}`);
  if (options.listening === false) return viewer;
  // A fence: with an invocation id the service says when it is done.
  viewer.send({ type: 1, target: "startListeningToLogEvents", arguments: [], invocationId: "0" });
  const done = await viewer.next();
  if (done["type"] !== 3) throw new Error(`instead of a completion came ${JSON.stringify(done)}`);
  return viewer;
}
