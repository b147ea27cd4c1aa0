import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type Header, onlyValue, valuesOf } from "./http-response.ts";
import { Inbox } from "./inbox.ts";

/** What the handler answers; default: 200 without a body. */
export interface Answer {
  readonly status?: number;
  /** Sent as given, repetitions included. */
  readonly headers?: readonly Header[];
  readonly body?: string | Uint8Array;
  /** Answered only once this has resolved. */
  readonly after?: Promise<unknown>;
  /** Writes the response by hand (slowly, broken, not at all) instead of everything above. */
  readonly write?: (response: ServerResponse, socket: Socket) => void;
}

/** One answer, answers in turn (the last one repeats), or an answer made from the request. */
export type Script = Answer | readonly Answer[] | ((request: ReceivedRequest) => Answer | Promise<Answer>);

/** A request as the handler received it. */
export class ReceivedRequest {
  constructor(request: IncomingMessage, body: Buffer, aborted: Promise<void>) {
    this.method = request.method ?? "";
    this.url = request.url ?? "";
    this.headers = headerPairs(request.rawHeaders);
    this.body = body;
    this.aborted = aborted;
  }

  readonly method: string;
  /** Request target as sent: path and query. */
  readonly url: string;
  /** Spelling, order and repetition as sent; bytes beyond ASCII as Latin-1 characters. */
  readonly headers: readonly Header[];
  readonly body: Buffer;
  /** Resolves when the sender gives up before it was answered. */
  readonly aborted: Promise<void>;

  /** The value of a header, its name in any case; null if absent. Throws if it is repeated. */
  header(name: string): string | null {
    return onlyValue(this.headers, name);
  }

  values(name: string): readonly string[] {
    return valuesOf(this.headers, name);
  }

  /** `ce-hub` and `ce-eventName`; empty for abuse-protection requests. */
  get hub(): string {
    return this.values("ce-hub")[0] ?? "";
  }

  get event(): string {
    return this.values("ce-eventName")[0] ?? "";
  }

  get text(): string {
    return this.body.toString("utf8");
  }

  get json(): unknown {
    return JSON.parse(this.text) as unknown;
  }
}

/** Which events of the hub go to the handler; default: all of them. */
export interface HandlerSettings {
  readonly userEventPattern?: string;
  readonly systemEvents?: readonly ("connect" | "connected" | "disconnected")[];
  /** Path template; default `/hooks/{hub}/{event}`. */
  readonly path?: string;
}

/** An application's event handler: records every request and answers as told. One serves the hubs of many tests. */
export interface EventHandler {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** An entry for `hubs.<hub>.eventHandlers`. */
  settings(options?: HandlerSettings): Record<string, unknown>;
  /** The events of one hub. */
  hub(name: string): HubEvents;
  /** Abuse-protection requests (OPTIONS, GET) of all hubs. */
  readonly validations: Inbox<ReceivedRequest>;
  /** Answers to abuse protection; default 200 with `WebHook-Allowed-Origin: *`. */
  answerValidation(script: Script): void;
  stop(): Promise<void>;
}

export interface HubEvents {
  /** Answers to the event from now on; events without a script get an empty 200. */
  answer(event: string, script: Script): void;
  /** Takes the oldest untaken request: of this event, or without a name of any. */
  next(event?: string, options?: { readonly withinMs?: number }): Promise<ReceivedRequest>;
  /** Names of the events that arrived and were not taken. */
  readonly untaken: readonly string[];
}

/** Starts a handler on a free loopback port; `stop` it in `afterAll`. */
export async function startEventHandler(): Promise<EventHandler> {
  const responders = new Map<string, Responder>();
  const inboxes = new Map<string, Inbox<ReceivedRequest>>();
  const validations = new Inbox<ReceivedRequest>();
  const sockets = new Set<Socket>();
  const inboxOf = (hub: string): Inbox<ReceivedRequest> => {
    const inbox = inboxes.get(hub) ?? new Inbox<ReceivedRequest>();
    inboxes.set(hub, inbox);
    return inbox;
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const received = await receive(request, response);
    const isEvent = received.method === "POST";
    const key = isEvent ? `${received.hub.toLowerCase()} ${received.event}` : "";
    (isEvent ? inboxOf(received.hub.toLowerCase()) : validations).push(received);
    const respond: Responder = responders.get(key) ?? (isEvent ? answerNothing : allowAnyOrigin);
    await give(await respond(received), response);
  };
  const server = createServer((request, response) => {
    // The sender may be gone by the time we answer; that is for the test to find out.
    serve(request, response).catch(() => response.destroy());
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    settings: ({
      userEventPattern = "*",
      systemEvents = ["connect", "connected", "disconnected"],
      path = "/hooks/{hub}/{event}",
    } = {}) => ({
      urlTemplate: `${url}${path}`,
      userEventPattern,
      systemEvents,
    }),
    hub: (name) => {
      const inbox = inboxOf(name.toLowerCase());
      return {
        answer: (event, script) => void responders.set(`${name.toLowerCase()} ${event}`, responder(script)),
        next: (event, options) =>
          inbox.take({
            what: `${event ?? "any"} event of hub ${name}`,
            where: (each) => event === undefined || each.event === event,
            ...options,
          }),
        get untaken() {
          return inbox.untaken.map((each) => each.event);
        },
      };
    },
    validations,
    answerValidation: (script) => void responders.set("", responder(script)),
    stop: () => stop(server, sockets),
  };
}

async function receive(request: IncomingMessage, response: ServerResponse): Promise<ReceivedRequest> {
  const aborted = new Promise<void>((resolve) => {
    response.on("close", () => {
      if (!response.writableEnded) resolve();
    });
  });
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return new ReceivedRequest(request, Buffer.concat(chunks), aborted);
}

type Responder = (request: ReceivedRequest) => Answer | Promise<Answer>;

const answerNothing: Responder = () => ({});

const allowAnyOrigin: Responder = () => ({ headers: [["WebHook-Allowed-Origin", "*"]] });

function responder(script: Script): Responder {
  if (typeof script === "function") return script;
  if (!isTurns(script)) return () => script;
  let turn = 0;
  return () => script[Math.min(turn++, script.length - 1)] ?? {};
}

const isTurns = (script: Answer | readonly Answer[]): script is readonly Answer[] => Array.isArray(script);

async function give(answer: Answer, response: ServerResponse): Promise<void> {
  await answer.after;
  const { socket } = response;
  if (answer.write !== undefined && socket !== null) {
    answer.write(response, socket);
    return;
  }
  response.statusCode = answer.status ?? 200;
  for (const [name, value] of answer.headers ?? []) response.appendHeader(name, value);
  response.end(answer.body ?? "");
}

function headerPairs(raw: readonly string[]): readonly Header[] {
  const pairs: Header[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) pairs.push([raw[at] ?? "", raw[at + 1] ?? ""]);
  return pairs;
}

async function stop(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const socket of sockets) socket.destroy();
  await closed;
}
