// The connection to the service: events to the application, and messages to and from the other pages.
import { WebPubSubClient, WebPubSubJsonProtocol } from "@azure/web-pubsub-client";
import { type Answer, type BoardMessage, type LiveMessage, parseLiveMessage, type Seat, seatOf } from "../messages.ts";

export interface ConnectionOptions {
  readonly seat: Seat;
  readonly opened: () => void;
  readonly closed: () => void;
  /** The application gives no way in, with its reason. */
  readonly refused: (reason: string) => void;
  readonly board: (message: BoardMessage) => void;
  readonly live: (from: Seat, message: LiveMessage) => void;
  readonly answer: (answer: Answer) => void;
}

/** The first attempt is ours to repeat; after it, the client reconnects by itself. */
const retryMs = 2000;

class Refused extends Error {}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #client: WebPubSubClient;
  isOpen = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#client = new WebPubSubClient(
      { getClientAccessUrl: () => negotiate(options.seat) },
      {
        // The reliable protocol would repeat old pointer moves after a cut; what must not get lost has a number of its own.
        protocol: WebPubSubJsonProtocol(),
        // The URL makes the connection a member of the board's group before its first message.
        autoRejoinGroups: false,
        // The outbox repeats what has to be repeated.
        messageRetryOptions: { maxRetries: 0 },
        reconnectRetryOptions: { mode: "Exponential", retryDelayInMs: 500, maxRetryDelayInMs: 8000 },
        keepAliveIntervalInMs: 10_000,
        keepAliveTimeoutInMs: 30_000,
      },
    );
    this.#client.on("connected", () => {
      this.isOpen = true;
      options.opened();
    });
    this.#client.on("disconnected", () => {
      this.isOpen = false;
      options.closed();
    });
    this.#client.on("group-message", ({ message }) => {
      // The service says who sent it. The application is no user: what it publishes no page can imitate.
      if (message.fromUserId === undefined) options.board(message.data as BoardMessage);
      else this.#takeLive(message.fromUserId, message.data);
    });
    this.#client.on("server-message", ({ message }) => options.answer(message.data as Answer));
  }

  async start(): Promise<void> {
    try {
      await this.#client.start();
    } catch (error) {
      if (error instanceof Refused) {
        this.#options.refused(error.message);
        return;
      }
      this.#options.closed();
      setTimeout(() => void this.start(), retryMs);
    }
  }

  /** Resolves when the application has taken it. */
  async sendEvent(event: string, data: object): Promise<void> {
    await this.#client.sendEvent(event, data, "json");
  }

  /** To the other pages at this board, past the application; nobody waits for it and nobody misses it. */
  sendLive(message: LiveMessage): void {
    if (!this.isOpen) return;
    this.#client
      .sendToGroup(this.#options.seat.board, message, "json", { noEcho: true, fireAndForget: true })
      .catch(() => undefined);
  }

  #takeLive(userId: string, data: unknown): void {
    const from = seatOf(userId);
    const message = parseLiveMessage(data);
    if (from !== null && message !== null) this.#options.live(from, message);
  }
}

async function negotiate({ board, id, name }: Seat): Promise<string> {
  const response = await fetch(`/negotiate?${new URLSearchParams({ board, id, name }).toString()}`);
  const { url, error } = (await response.json()) as { readonly url?: string; readonly error?: string };
  if (response.status === 400) throw new Refused(error);
  if (url === undefined) throw new Error(error ?? `the application answered ${response.status}`);
  return url;
}
