import type { WebPubSubGroup, WebPubSubGroupMember, WebPubSubServiceClient } from "@azure/web-pubsub";
import { NodeAgent } from "../../support/node-agent.ts";

export interface ServiceSetup {
  /** A connection string, or an endpoint together with `key` or `entraToken`. */
  readonly connection: string;
  readonly key?: string;
  /** A token for REST from an OpenID Connect issuer, handed to the SDK as a TokenCredential. */
  readonly entraToken?: string;
  readonly hub: string;
  /** False: a connection for each request, for proxies that end one behind its response without announcing it. */
  readonly keepsAlive?: boolean;
  /** Options of the SDK's client. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** `@azure/web-pubsub` 1.2.0 or 1.1.4. */
export type SdkVersion = "newest" | "older";

/** Starts a Node process with the server SDK. `ca`: certificate file for NODE_EXTRA_CA_CERTS. */
export function startSdk(options: { readonly version?: SdkVersion; readonly ca?: string } = {}): NodeAgent {
  const { version = "newest", ca } = options;
  return new NodeAgent(new URL("./service.process.ts", import.meta.url), {
    args: [version],
    env: ca === undefined ? {} : { NODE_EXTRA_CA_CERTS: ca },
  });
}

/** The SDK's group client, without the listing: its iterator cannot travel, see `Service.pages`. */
export type Group = Omit<WebPubSubGroup, "listConnections">;

/** The SDK's client in the Node process: a call here is that call there. `http` is allowed. */
export interface Service extends Omit<WebPubSubServiceClient, "group"> {
  group(name: string): Group;
  /** `listConnections(options).byPage()` to its end. */
  pages(group: string, options: { maxPageSize?: number; top?: number }): Promise<WebPubSubGroupMember[][]>;
  /** `listConnections()` to its end. */
  members(group: string): Promise<WebPubSubGroupMember[]>;
}

/** `new WebPubSubServiceClient(…)` in the process of `sdk`; retries are off. */
export function connectService(sdk: NodeAgent, { options = {}, ...setup }: ServiceSetup): Service {
  const remote = { ...setup, options: { allowInsecureConnection: true, ...options } };
  const own = {
    group: (group: string) =>
      methods((name, args) => sdk.call("group", remote, { group, name }, args)) as unknown as Group,
    pages: (group: string, listing: object) => sdk.call("pages", remote, group, listing),
    members: (group: string) => sdk.call("members", remote, group),
  };
  return methods((name, args) => sdk.call("hub", remote, name, args), own) as unknown as Service;
}

/** An object on which every method exists: those of `own`, and `call` for the others. */
function methods(
  call: (name: string, args: readonly unknown[]) => Promise<unknown>,
  own: Readonly<Record<string, (...args: never[]) => unknown>> = {},
): object {
  return new Proxy(own, {
    get: (_, name) => {
      if (name === "then") return undefined; // it is no promise
      return own[String(name)] ?? ((...args: readonly unknown[]) => call(String(name), args));
    },
  });
}
