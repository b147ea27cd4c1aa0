// A device: a client that sends events and gets an answer to each. Runs in Bun and in a browser.
import { SendMessageError, WebPubSubClient } from "@azure/web-pubsub-client";
import type { Answer } from "./messages.ts";

/** What a device has to say: the name of the event and its data. */
export type DeviceEvent =
  | readonly ["report", { readonly parcel: string; readonly status: string; readonly note?: string }]
  | readonly ["help", { readonly text: string }]
  | readonly ["lookup", { readonly parcel: string }];

export class DeviceClient {
  readonly #client: WebPubSubClient;
  #answer: Answer | null = null;
  #last: Promise<unknown> = Promise.resolve();

  /** `app` is the address of the application, which gives a device its URL; a device holds no key. */
  constructor(app: string, name: string) {
    const getClientAccessUrl = async (): Promise<string> => {
      const response = await fetch(`${app}/negotiate?${new URLSearchParams({ device: name })}`);
      const { url, error } = (await response.json()) as { url?: string; error?: string };
      if (url === undefined) throw new Error(error ?? "The application gave no URL.");
      return url;
    };
    // An event is not sent again by itself: the answer to a second one would be another.
    this.#client = new WebPubSubClient({ getClientAccessUrl }, { messageRetryOptions: { maxRetries: 0 } });
    this.#client.on("server-message", ({ message }) => {
      this.#answer = message.data as Answer;
    });
  }

  start(): Promise<void> {
    return this.#client.start();
  }

  /** Resolves when the connection that was started is closed. */
  stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#client.on("stopped", () => resolve());
    this.#client.stop();
    return promise;
  }

  /** Sends an event and resolves with the answer to it, one event after the other. Rejects where there was none, in words. */
  send(event: DeviceEvent): Promise<Answer> {
    const sent = this.#last.then(() => this.#sendNow(event));
    this.#last = sent.catch(() => {});
    return sent;
  }

  async #sendNow([name, data]: DeviceEvent): Promise<Answer> {
    this.#answer = null;
    try {
      // Resolves with the acknowledgement, which comes once the handler has answered, and behind that answer.
      await this.#client.sendEvent(name, data, "json");
    } catch (error) {
      const reason = error instanceof SendMessageError ? error.errorDetail?.message : undefined;
      throw new Error(`The application did not take it: ${reason ?? (error as Error).message}`, { cause: error });
    }
    return this.#answer ?? { ok: true, text: "Taken." };
  }
}
