import type { WebPubSubClient, WebPubSubClientOptions } from "@azure/web-pubsub-client";
import { NodeAgent } from "../../support/node-agent.ts";
import type { Target } from "../../support/server.ts";
import { type ClientTokenOptions, clientToken } from "../../support/tokens.ts";

/** What a client of the SDK reported: the event's arguments and its `name`. */
type ClientEvent = Readonly<Record<string, unknown>>;

/** A client in the Node process: a call here is that call there; `stop` resolves when it was called. */
export interface SdkClient
  extends Pick<WebPubSubClient, "start" | "joinGroup" | "leaveGroup" | "sendToGroup" | "sendEvent"> {
  stop(): Promise<void>;
  /** The next event of that name: an event of the SDK, or `negotiate` when it asks for a URL. */
  next(name: string): Promise<ClientEvent>;
  /** The message of the next `group-message` or `server-message`. */
  nextMessage(kind: "group" | "server"): Promise<unknown>;
}

type Own = Pick<SdkClient, "next" | "nextMessage">;

/** Plain values of `WebPubSubClientOptions`; the protocol is `WebPubSubJsonProtocol()`, or the SDK's own choice. */
interface Options extends Omit<WebPubSubClientOptions, "protocol"> {
  readonly protocol?: "default";
}

/** A Node process with the client SDK. */
export class SdkClients {
  readonly #agent: NodeAgent;
  #count = 0;

  /** `ca`: certificate file for NODE_EXTRA_CA_CERTS. */
  constructor(ca?: string) {
    this.#agent = new NodeAgent(new URL("./client.process.ts", import.meta.url), {
      env: ca === undefined ? {} : { NODE_EXTRA_CA_CERTS: ca },
    });
  }

  /** `new WebPubSubClient(…)` with a token of these claims; not started. Retries of messages are off unless given. */
  async create(target: Target, token: ClientTokenOptions, options: Options = {}): Promise<SdkClient> {
    const id = ++this.#count;
    const endpoint = target.endpoint.replace(/^http/, "ws");
    const url = `${endpoint}/client/hubs/${token.hub}?access_token=${clientToken(target, token)}`;
    await this.#agent.call("create", id, url, { messageRetryOptions: { maxRetries: 0 }, ...options });
    const own: Own = {
      next: (name) =>
        this.#agent.events.take({ what: `${name}`, where: (each) => each["client"] === id && each["name"] === name }),
      nextMessage: async (kind) => (await own.next(`${kind}-message`))["message"],
    };
    const remote = new Proxy(own, {
      get: (_, name) => {
        if (name === "then") return undefined; // it is no promise
        const method = own[name as keyof Own] as unknown;
        return method ?? ((...args: readonly unknown[]) => this.#agent.call("call", id, name, args));
      },
    });
    return remote as unknown as SdkClient;
  }

  /** A started client that has its `connected` event; the event comes with it. */
  async connect(target: Target, token: ClientTokenOptions, options: Options = {}) {
    const client = await this.create(target, token, options);
    await client.start();
    await client.next("negotiate");
    return { client, connected: await client.next("connected") };
  }

  async stop(): Promise<void> {
    await this.#agent.stop();
  }
}
