/** One line of live trace. */
export interface TraceLine {
  /** Running number, over all views. */
  readonly id: number;
  readonly time: string;
  readonly event: string;
  readonly level: TraceLevel;
  readonly message: string;
  readonly context: Readonly<Record<string, string | number>>;
}

export type TraceLevel = "debug" | "information" | "warning" | "error";

/** Which lines the service is asked for; empty members ask for nothing. */
export interface TraceFilter {
  readonly hub: string;
  readonly connectionId: string;
  readonly userId: string;
}

export interface TraceHandlers {
  /** Lines that arrived together. */
  readonly lines: (lines: readonly TraceLine[]) => void;
  /** The service left so many lines out. */
  readonly dropped: (count: number) => void;
  /** It is over; the reason, in words. */
  readonly ended: (reason: string) => void;
  readonly started: () => void;
}

const separator = "\u001e";
const pingMs = 15_000;
let lastId = 0;
const levels: Readonly<Record<number, TraceLevel>> = { 0: "debug", 1: "debug", 2: "information", 3: "warning" };

interface RawLine {
  readonly time: string;
  readonly eventId: number;
  readonly logContext: Readonly<Record<string, string | number>>;
  readonly values: readonly string[];
}

interface Description {
  readonly eventId: number;
  readonly eventName: string;
  readonly template: string;
  readonly logLevel: number;
}

/**
 * A view of live trace: the JSON hub protocol of SignalR over one WebSocket. Names of events are asked for when they first
 * appear; lines wait for them, in order.
 */
export class TraceView {
  readonly #socket: WebSocket;
  readonly #handlers: TraceHandlers;
  readonly #descriptions = new Map<number, Description>();
  readonly #asked = new Set<number>();
  #waiting: RawLine[] = [];
  #isOpen = false;
  #isEnded = false;
  #pings: ReturnType<typeof setInterval> | undefined;

  constructor({ url, accessToken }: { readonly url: string; readonly accessToken: string }, handlers: TraceHandlers) {
    const target = new URL(url);
    target.searchParams.set("access_token", accessToken);
    this.#handlers = handlers;
    this.#socket = new WebSocket(target);
    this.#socket.onopen = () => this.#post({ protocol: "json", version: 1 });
    this.#socket.onmessage = ({ data }: MessageEvent<string>) => this.#received(data);
    this.#socket.onclose = () =>
      this.#end(
        this.#isOpen
          ? "The connection of this view was interrupted. Capture again to go on."
          : `No view could be opened at ${url}. This browser does not reach it, does not trust its certificate, or was refused.`,
      );
  }

  /** Has the service send what concerns these alone; nothing of it is lost because others have much. */
  filter({ hub, connectionId, userId }: TraceFilter): void {
    const wanted = Object.entries({ hub, connectionId, userId }).filter(([, value]) => value !== "");
    this.#invoke("Filter", wanted.length === 0 ? null : Object.fromEntries(wanted));
  }

  /** Whether requests to event handlers come with their headers and bodies, for this view alone. */
  captureBodies(isWanted: boolean): void {
    this.#invoke("CaptureWebhookBodies", isWanted);
  }

  close(): void {
    this.#isEnded = true;
    clearInterval(this.#pings);
    this.#socket.close();
  }

  #received(data: string): void {
    for (const text of data.split(separator)) {
      if (text === "") continue;
      const message = JSON.parse(text) as {
        readonly type?: number;
        readonly target?: string;
        readonly arguments?: readonly unknown[];
        readonly error?: string;
      };
      if (message.type === undefined) this.#opened(message.error);
      else if (message.type === 7) this.#end(message.error ?? "The service closed this view.");
      else if (message.type === 1) this.#invoked(message.target?.toLowerCase() ?? "", message.arguments?.[0]);
    }
    this.#deliver();
  }

  #opened(error: string | undefined): void {
    if (error !== undefined) {
      this.#end(error);
      return;
    }
    this.#isOpen = true;
    this.#pings = setInterval(() => this.#post({ type: 6 }), pingMs);
    this.#invoke("startListeningToLogEvents");
    this.#handlers.started();
  }

  #invoked(target: string, argument: unknown): void {
    if (target === "logevent") this.#waiting.push(argument as RawLine);
    if (target !== "logproperty") return;
    const description = argument as Description;
    this.#descriptions.set(description.eventId, description);
  }

  /** Hands on the lines up to the first whose event has no name yet. */
  #deliver(): void {
    const known = this.#waiting.findIndex(({ eventId }) => !this.#descriptions.has(eventId));
    const ready = known < 0 ? this.#waiting : this.#waiting.slice(0, known);
    this.#waiting = known < 0 ? [] : this.#waiting.slice(known);
    for (const { eventId } of this.#waiting) this.#ask(eventId);
    const lines = ready.map((raw) => this.#line(raw));
    for (const { event, context } of lines) {
      if (event === "LinesDropped") this.#handlers.dropped(Number(context["dropped"] ?? 0));
    }
    const shown = lines.filter(({ event }) => event !== "LinesDropped");
    if (shown.length > 0) this.#handlers.lines(shown);
  }

  #ask(eventId: number): void {
    if (this.#asked.has(eventId)) return;
    this.#asked.add(eventId);
    this.#invoke("LogProperty", eventId);
  }

  #line({ time, eventId, logContext, values }: RawLine): TraceLine {
    const { eventName = "Event", template = "", logLevel = 2 } = this.#descriptions.get(eventId) ?? {};
    const rest = [...values];
    const message = template.replace(/\{\w+\}/g, () => rest.shift() ?? "");
    lastId += 1;
    const level = levels[logLevel] ?? "error";
    return { id: lastId, time, event: eventName, level, message, context: logContext };
  }

  #invoke(target: string, ...args: readonly unknown[]): void {
    this.#post({ type: 1, target, arguments: args });
  }

  #post(message: object): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message) + separator);
  }

  #end(reason: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearInterval(this.#pings);
    this.#handlers.ended(reason);
    this.#socket.close();
  }
}
