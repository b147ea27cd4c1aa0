// An application with the express middleware in Node. Driven by express-app.ts.
import type { AddressInfo } from "node:net";
import {
  type ConnectResponseHandler,
  type UserEventResponseHandler,
  WebPubSubEventHandler,
  type WebPubSubEventHandlerOptions,
} from "@azure/web-pubsub-express";
import express from "express";
import { report, serve } from "../../support/agent-process.ts";

/** Calls on the middleware's response object, in order: `[["setState", "n", 1], ["success"]]`. */
type Steps = readonly (readonly [string, ...(readonly unknown[])])[];

const app = express();
const scripts = new Map<string, Steps>();

function play(response: ConnectResponseHandler | UserEventResponseHandler, steps: Steps): void {
  const methods = response as unknown as Readonly<Record<string, (...args: readonly unknown[]) => void>>;
  for (const [method, ...args] of steps) methods[method]?.(...args);
}

serve({
  listen: () =>
    new Promise<number>((resolve) => {
      const server = app.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
    }),
  /** Mounts a handler that reports everything and answers as scripted, or with an empty success. */
  handle: (hub: string, options: Pick<WebPubSubEventHandlerOptions, "path" | "allowedEndpoints">) => {
    const note = (event: string) => (request: object) => report({ hub, event, request });
    const stepsFor = (event: string): Steps => scripts.get(`${hub} ${event}`) ?? [["success"]];
    const handler = new WebPubSubEventHandler(hub, {
      ...options,
      handleConnect: (request, response) => {
        note("connect")(request);
        play(response, stepsFor("connect"));
      },
      handleUserEvent: (request, response) => {
        note(request.context.eventName)(request);
        play(response, stepsFor(request.context.eventName));
      },
      onConnected: note("connected"),
      onDisconnected: note("disconnected"),
      onGroupJoined: note("joined"),
      onGroupLeft: note("left"),
    });
    app.use(handler.getMiddleware());
  },
  script: (hub: string, event: string, steps: Steps) => void scripts.set(`${hub} ${event}`, steps),
});
