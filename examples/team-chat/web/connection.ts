import { WebPubSubClient } from "@azure/web-pubsub-client";
import type { Answer, Calls, Notes, Push } from "../shared/protocol.ts";

export type Status = "connecting" | "online" | "offline";

export interface ConnectionOptions {
  /** Where to connect, asked before each connection; null: do not connect any more. */
  readonly negotiate: () => Promise<string | null>;
  /** A connection was made that knows nothing of the one before. */
  readonly onConnected: () => Promise<void>;
  readonly onPush: (push: Push) => void;
  readonly onStatus: (status: Status) => void;
}

export interface Connection {
  /** Asks the application something; rejects where no answer came, be it that there is no connection. */
  ask<Name extends keyof Calls>(name: Name, ask: Calls[Name]["ask"]): Promise<Answer<Calls[Name]["reply"]>>;
  /** Tells the application something; it does not matter if it is lost. */
  tell<Name extends keyof Notes>(name: Name, note: Notes[Name]): void;
  stop(): void;
}

const answerWithinMs = 15_000;
const maxDelayMs = 5_000;

/** A connection that is kept up until `stop`, or until `negotiate` gives null. */
export function connect({ negotiate, onConnected, onPush, onStatus }: ConnectionOptions): Connection {
  let isStopped = false;
  const credential = {
    async getClientAccessUrl(): Promise<string> {
      const url = await negotiate();
      if (url !== null) return url;
      stop();
      throw new Error("not allowed to connect");
    },
  };
  // The default protocol is the reliable one: after a short cut the service sends what was missed. What cannot be recovered
  // is connected anew here, since the SDK's own attempts go on even after `stop`.
  const client = new WebPubSubClient(credential, { autoReconnect: false });

  client.on("connected", () => void enter());
  client.on("disconnected", () => onStatus("offline"));
  client.on("stopped", () => void start());
  client.on("server-message", ({ message }) => heard(message.data));
  client.on("group-message", ({ message }) => heard(message.data));

  function heard(data: unknown): void {
    // A recovery that was under way cannot be stopped before it is done.
    if (isStopped) client.stop();
    else onPush(data as Push);
  }

  /** Until the application has let this connection in; a later connection makes its own attempts. */
  let attempts = 0;
  async function enter(): Promise<void> {
    const attempt = ++attempts;
    for (let delayMs = 250; attempt === attempts && !isStopped; delayMs = Math.min(delayMs * 2, maxDelayMs)) {
      try {
        await onConnected();
        if (attempt === attempts) onStatus("online");
        return;
      } catch {
        await pause(delayMs);
      }
    }
  }

  /** Connects; the first attempt comes at once. */
  async function start(): Promise<void> {
    for (let delayMs = 250; !isStopped; delayMs = Math.min(delayMs * 2, maxDelayMs)) {
      try {
        await client.start();
        if (isStopped) client.stop();
        return;
      } catch {
        await pause(delayMs);
      }
    }
  }

  function stop(): void {
    isStopped = true;
    removeEventListener("pagehide", stop);
    client.stop();
  }

  // A tab that just vanishes could come back, so its connection would be kept for a while; this one says goodbye.
  addEventListener("pagehide", stop);
  // A page out of the browser's cache starts anew.
  addEventListener("pageshow", reloadIfCached);
  onStatus("connecting");
  void start();
  return {
    async ask<Name extends keyof Calls>(name: Name, ask: Calls[Name]["ask"]) {
      const { data } = await client.invokeEvent(name, ask, "json", {
        abortSignal: AbortSignal.timeout(answerWithinMs),
      });
      return data as unknown as Answer<Calls[Name]["reply"]>;
    },
    tell(name, note) {
      client.sendEvent(name, note, "json", { fireAndForget: true }).catch(() => undefined);
    },
    stop,
  };
}

const reloadIfCached = (event: PageTransitionEvent): void => {
  if (event.persisted) location.reload();
};

/** Pages that lost their connection at the same moment should not all come back at the same moment. */
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms * (0.5 + Math.random())));
