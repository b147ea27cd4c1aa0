// The tunnel proxies inside the Socket.IO extension, in Node, any number of them. Driven by proxies.ts.
import { createRequire } from "node:module";
import { WebPubSubEventHandler } from "@azure/web-pubsub-express";
import express from "express";
import { report, serve } from "../../support/agent-process.ts";

/** What is used of the package's classes; it exports no types for them. */
interface Group {
  sendToAll(message: string, options?: { readonly filter: string }): Promise<void>;
  removeConnection(connectionId: string): Promise<void>;
}
interface InprocessServerProxy {
  readonly _tunnel: { readonly id: string };
  runAsync(): Promise<void>;
  stop(): void;
  group(name: string): Group;
  readonly [method: string]: unknown;
}
interface HttpServerProxy {
  readonly id: string;
  runAsync(options?: object): Promise<void>;
  readonly _tunnel: { stop(): void };
}
interface Proxies {
  readonly InprocessServerProxy: {
    fromConnectionString(connectionString: string, hub: string, handler?: unknown): InprocessServerProxy;
  };
  readonly HttpServerProxy: {
    fromConnectionString(connectionString: string, hub: string, options: { readonly target: string }): HttpServerProxy;
  };
}

const require = createRequire(import.meta.url);
const path = require.resolve("@azure/web-pubsub-socket.io").replace(/index\.js$/, "serverProxies/index.js");
const { InprocessServerProxy, HttpServerProxy } = require(path) as Proxies;
const running = new Map<number, InprocessServerProxy>();
const stops = new Map<number, () => void>();

serve({
  /** An application whose express handler runs in this process, without a port. */
  runInProcess: async (id: number, connectionString: string, hub: string) => {
    const handler = new WebPubSubEventHandler(hub, {
      path: "/eventhandler/",
      handleConnect: (request, response) => {
        report({ proxy: id, event: "connect", request });
        if (request.context.userId === "nobody") response.fail(401, "not you");
        else response.success({ userId: `${request.context.userId}!`, groups: ["greeted"] });
      },
      handleUserEvent: (request, response) => {
        report({ proxy: id, event: request.context.eventName, request });
        response.setState("seen", request.context.eventName);
        response.success(`echo ${String(request.data)}`, "text");
      },
      onConnected: (request) => report({ proxy: id, event: "connected", request }),
      onDisconnected: (request) => report({ proxy: id, event: "disconnected", request }),
    });
    const app = express();
    app.use(handler.getMiddleware());
    const proxy = InprocessServerProxy.fromConnectionString(connectionString, hub, handler.getMiddleware());
    running.set(id, proxy);
    stops.set(id, () => proxy.stop());
    const startedAt = Date.now();
    await proxy.runAsync();
    return { serverId: proxy._tunnel.id, ms: Date.now() - startedAt };
  },
  /** What awps-tunnel does: requests go on to a local port. */
  runHttp: async (id: number, connectionString: string, { hub, target }: { hub: string; target: string }) => {
    const proxy = HttpServerProxy.fromConnectionString(connectionString, hub, { target });
    stops.set(id, () => proxy._tunnel.stop());
    const startedAt = Date.now();
    await proxy.runAsync();
    return { serverId: proxy.id, ms: Date.now() - startedAt };
  },
  call: async (id: number, method: string, args: readonly unknown[]) => {
    const proxy = running.get(id) as unknown as Readonly<Record<string, (...all: readonly unknown[]) => Promise<void>>>;
    await proxy[method]?.(...args);
  },
  callGroup: async (id: number, name: string, [method, ...args]: readonly [keyof Group, ...(readonly unknown[])]) => {
    const called = running.get(id)?.group(name) as unknown as Readonly<
      Record<string, (...all: readonly unknown[]) => Promise<void>>
    >;
    await called[method]?.(...args);
  },
  sendMany: async (id: number, count: number) => {
    const proxy = running.get(id) as unknown as { sendToAll(message: string): Promise<void> };
    await Promise.all(Array.from({ length: count }, (_, at) => proxy.sendToAll(String(at))));
  },
  stop: (id: number) => stops.get(id)?.(),
});
