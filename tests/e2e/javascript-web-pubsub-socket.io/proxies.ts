import { NodeAgent } from "../../support/node-agent.ts";
import type { Target } from "../../support/server.ts";

type Details = Readonly<Record<string, unknown>>;

/** An application connected by one of the package's proxies. */
export interface ProxyApp {
  readonly serverId: string;
  /** How long `runAsync` took. */
  readonly ms: number;
  /** The next event of that name that the in-process handler got. */
  next(event: string): Promise<Details>;
  /** `proxy[method](...args)` */
  call(method: string, ...args: readonly unknown[]): Promise<unknown>;
  /** `proxy.group(group)[method](...args)` */
  group(group: string, method: string, ...args: readonly unknown[]): Promise<unknown>;
  /** `sendToAll("0")`, `sendToAll("1")` … without waiting in between. */
  sendMany(count: number): Promise<unknown>;
  stop(): Promise<unknown>;
}

/** A Node process with the unmodified proxies of `@azure/web-pubsub-socket.io`. */
export class Proxies {
  readonly #agent = new NodeAgent(new URL("./proxies.process.ts", import.meta.url));
  #count = 0;

  inProcess(target: Pick<Target, "connectionString">, hub: string): Promise<ProxyApp> {
    return this.#run("runInProcess", target.connectionString, hub);
  }

  http(target: Pick<Target, "connectionString">, hub: string, localUrl: string): Promise<ProxyApp> {
    return this.#run("runHttp", target.connectionString, { hub, target: localUrl });
  }

  stop(): Promise<void> {
    return this.#agent.stop();
  }

  async #run(command: string, ...args: readonly unknown[]): Promise<ProxyApp> {
    const id = ++this.#count;
    const { serverId, ms } = (await this.#agent.call(command, id, ...args)) as { serverId: string; ms: number };
    return {
      serverId,
      ms,
      next: async (event) => {
        const where = (each: Details) => each["proxy"] === id && each["event"] === event;
        return (await this.#agent.events.take({ what: `${event} event`, where }))["request"] as Details;
      },
      call: (method, ...rest) => this.#agent.call("call", id, method, rest),
      group: (group, method, ...rest) => this.#agent.call("callGroup", id, group, [method, ...rest]),
      sendMany: (count) => this.#agent.call("sendMany", id, count),
      stop: () => this.#agent.call("stop", id),
    };
  }
}
