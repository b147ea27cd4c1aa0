import { NodeAgent } from "../../support/node-agent.ts";

/** Calls on the middleware's response object, in order: `[["setState", "n", 1], ["success"]]`. */
type Steps = readonly (readonly [string, ...(readonly unknown[])])[];

/** What the middleware handed to the application for one event. */
export interface AppRequest {
  readonly context: {
    readonly hub: string;
    readonly connectionId: string;
    readonly eventName: string;
    readonly userId?: string;
    readonly states: Readonly<Record<string, unknown>>;
    readonly origin: string;
  };
  readonly [name: string]: unknown;
}

/** A hub's side of the application. */
export interface AppHub {
  /** Answers to the event from now on; unscripted, `success()`. */
  answer(event: string, steps: Steps): Promise<void>;
  /** The next event of that name (`joined` and `left` for presence). */
  next(event: string): Promise<AppRequest>;
}

/** An express application with the official middleware, in Node. */
export interface ExpressApp {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Mounts `new WebPubSubEventHandler(hub, options)`. */
  handle(
    hub: string,
    options?: { readonly path?: string; readonly allowedEndpoints?: readonly string[] },
  ): Promise<AppHub>;
  stop(): Promise<void>;
}

export async function startExpressApp(): Promise<ExpressApp> {
  const agent = new NodeAgent(new URL("./express.process.ts", import.meta.url));
  const port = String(await agent.call("listen"));
  return {
    url: `http://127.0.0.1:${port}`,
    handle: async (hub, options = {}) => {
      await agent.call("handle", hub, options);
      return {
        answer: async (event, steps) => void (await agent.call("script", hub, event, steps)),
        next: async (event) => {
          const where = (each: Readonly<Record<string, unknown>>) => each["hub"] === hub && each["event"] === event;
          return (await agent.events.take({ what: `${event} event of ${hub}`, where }))["request"] as AppRequest;
        },
      };
    },
    stop: () => agent.stop(),
  };
}
