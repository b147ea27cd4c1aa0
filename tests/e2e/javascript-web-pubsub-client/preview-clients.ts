import { NodeAgent } from "../../support/node-agent.ts";
import type { Target } from "../../support/server.ts";
import { type ClientTokenOptions, clientToken } from "../../support/tokens.ts";

/** A client that was cut may need a second attempt to come back, a second later. */
const deadlineMs = 20_000;

type Report = Readonly<Record<string, unknown>>;
type Args = readonly unknown[];

interface ConnectOptions {
  /** Where to dial, with tokens for there; default: the target's own endpoint. */
  readonly endpoint?: string;
  /** Default reliable, as the SDK's. */
  readonly protocol?: "plain" | "reliable";
}

/** An SDK client in the Node process; the calls are the commands of preview.process.ts. */
export interface PreviewClient {
  readonly connectionId: string;
  do(command: "happened" | "settle" | "stop" | "listen" | "open" | "invoke", ...args: Args): Promise<unknown>;
  /** The next report of this name, without name and client; `where` chooses among those that lie here. */
  next(name: "stream" | "progress" | "writer-error", where?: (report: Report) => boolean): Promise<Report>;
}

/** A Node process with SDK clients that stream and invoke. */
export class PreviewProcess {
  readonly #agent = new NodeAgent(new URL("./preview.process.ts", import.meta.url));
  #count = 0;

  /** A connected client with a token of these claims. */
  async connect(target: Target, token: ClientTokenOptions, options: ConnectOptions = {}): Promise<PreviewClient> {
    const { endpoint = target.endpoint, protocol = "reliable" } = options;
    const id = ++this.#count;
    const accessToken = clientToken({ endpoint, primaryKey: target.primaryKey }, token);
    const url = `${endpoint.replace(/^http/, "ws")}/client/hubs/${token.hub}?access_token=${accessToken}`;
    const connectionId = String(await this.#agent.call("connect", id, url, protocol));
    return {
      connectionId,
      do: (command, ...args) => this.#agent.call(command, id, ...args),
      next: async (name, where = () => true) => {
        const mine = (each: Report): boolean => each["client"] === id && each["name"] === name && where(each);
        const {
          client: _,
          name: __,
          ...rest
        } = await this.#agent.events.take({
          what: name,
          withinMs: deadlineMs,
          where: mine,
        });
        return rest;
      },
    };
  }

  /** Commands about a writer or an invocation, by its name. */
  async with(
    command: "writeRange" | "write" | "end" | "abort" | "writerErrors" | "cancelInvoke",
    name: string,
    ...args: Args
  ): Promise<unknown> {
    return this.#agent.call(command, name, ...args);
  }

  async stop(): Promise<void> {
    await this.#agent.stop();
  }
}
