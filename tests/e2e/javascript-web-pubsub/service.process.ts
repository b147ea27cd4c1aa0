// The server SDK in Node: `service.process.ts newest` or `older`. Driven by service-client.ts.
import * as http from "node:http";
import * as https from "node:https";
import { report, serve } from "../../support/agent-process.ts";

type Method = (...args: readonly unknown[]) => unknown;
type Methods = Readonly<Record<string, Method>>;

/** Where calls go; see `ServiceSetup`. */
interface Setup {
  readonly connection: string;
  readonly key?: string;
  readonly entraToken?: string;
  readonly hub: string;
  readonly keepsAlive?: boolean;
  readonly options: Readonly<Record<string, unknown>>;
}

interface Pages {
  byPage(): AsyncIterable<readonly unknown[]>;
}

interface Sdk {
  readonly WebPubSubServiceClient: new (...args: readonly unknown[]) => Methods;
  readonly AzureKeyCredential: new (key: string) => object;
}

const isOlder = process.argv[2] === "older";
const sdk = (await (isOlder ? import("web-pubsub-older") : import("@azure/web-pubsub"))) as unknown as Sdk;

function connect({ connection, key, entraToken, hub, keepsAlive = true, options }: Setup): Methods {
  const isSecure = /(^|Endpoint=)https:/.test(connection);
  const agent = new (isSecure ? https.Agent : http.Agent)({ keepAlive: false });
  // The first answer counts.
  const settings = { retryOptions: { maxRetries: 0 }, ...(keepsAlive ? {} : { agent }), ...options };
  if (key !== undefined) {
    return new sdk.WebPubSubServiceClient(connection, new sdk.AzureKeyCredential(key), hub, settings);
  }
  if (entraToken === undefined) return new sdk.WebPubSubServiceClient(connection, hub, settings);
  const getToken = () => Promise.resolve({ token: entraToken, expiresOnTimestamp: Date.now() + 3_600_000 });
  return new sdk.WebPubSubServiceClient(connection, { getToken }, hub, settings);
}

const methodOf = (methods: Methods, name: string): Method => {
  const method = methods[name];
  if (method === undefined) throw new Error(`the SDK has no ${name}`);
  return method.bind(methods);
};

function groupOf(setup: Setup, group: string): Methods {
  return methodOf(connect(setup), "group")(group) as Methods;
}

serve({
  hub: (setup: Setup, name: string, args: readonly unknown[]) => methodOf(connect(setup), name)(...args),
  group: (setup: Setup, address: { group: string; name: string }, args: readonly unknown[]) =>
    methodOf(groupOf(setup, address.group), address.name)(...args),
  pages: async (setup: Setup, group: string, options: { maxPageSize?: number; top?: number }) => {
    const listed = methodOf(groupOf(setup, group), "listConnections")(options);
    const pages: (readonly unknown[])[] = [];
    for await (const page of ((await listed) as Pages).byPage()) pages.push(page);
    return pages;
  },
  members: async (setup: Setup, group: string) => {
    const listed = methodOf(groupOf(setup, group), "listConnections")();
    const members: unknown[] = [];
    for await (const member of (await listed) as AsyncIterable<unknown>) members.push(member);
    return members;
  },
  /** What a page in a browser does with the URL: the same WebSocket class. Messages are reported as they come. */
  open: (url: string) =>
    new Promise<void>((resolve, reject) => {
      const socket = new WebSocket(url, "json.webpubsub.azure.v1");
      socket.onopen = () => resolve();
      socket.onmessage = ({ data }) => report({ url, message: JSON.parse(String(data)) as unknown });
      socket.onerror = () => reject(new Error("the WebSocket failed"));
    }),
});
