// The client SDK in Node, any number of clients. Driven by sdk-clients.ts.
import { WebPubSubClient, type WebPubSubClientOptions, WebPubSubJsonProtocol } from "@azure/web-pubsub-client";
import { report, serve } from "../../support/agent-process.ts";

type Options = Omit<WebPubSubClientOptions, "protocol"> & { readonly protocol?: "default" };
type Method = (...args: readonly unknown[]) => unknown;
type Listen = (event: string, listener: (args: object) => void) => void;

const events = ["connected", "disconnected", "stopped", "server-message", "group-message", "rejoin-group-failed"];
const clients = new Map<number, WebPubSubClient>();

serve({
  create: (id: number, url: string, { protocol, ...options }: Options) => {
    // A page asks its own server for a URL whenever it connects.
    const getClientAccessUrl = async () => {
      report({ client: id, name: "negotiate" });
      return url;
    };
    const chosen = protocol === "default" ? {} : { protocol: WebPubSubJsonProtocol() };
    const client = new WebPubSubClient({ getClientAccessUrl }, { ...chosen, ...options });
    for (const name of events) {
      (client.on as Listen).call(client, name, (args) => report({ client: id, name, ...args }));
    }
    clients.set(id, client);
  },
  call: (id: number, name: string, args: readonly unknown[]) => {
    const client = clients.get(id) as unknown as Readonly<Record<string, Method>>;
    return client[name]?.(...args.map((value) => (value instanceof Uint8Array ? toArrayBuffer(value) : value)));
  },
});

/** The SDK takes bytes as an ArrayBuffer alone. */
const toArrayBuffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;
