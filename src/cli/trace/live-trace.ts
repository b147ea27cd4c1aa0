import { isRawObject } from "../../config/raw-tree.ts";
import {
  completeLine,
  type EventProperties,
  type LogEvent,
  readEventProperties,
  readLogEvent,
  type TraceLine,
} from "./trace-line.ts";

const separator = "\u001E";
/** The service expects to hear something this often (management 13.2). */
const pingMs = 15_000;
/** Lines that may wait for the template of an event; ours: older ones are given up, so that nothing grows without end. */
const maxWaiting = 10_000;

/** What a view of tidewire asks for beyond what views of Azure do; a service that does not know it goes on without. */
export interface TraceWishes {
  /** What is exchanged with event handlers. */
  readonly bodies: boolean;
  /** The service leaves out lines of others, so that these are not lost among them. */
  readonly filter: {
    readonly hub: readonly string[];
    readonly connectionId: readonly string[];
    readonly userId: readonly string[];
  };
}

export interface LiveTraceEvents {
  /** The handshake is done and lines will come. */
  started(): void;
  line(line: TraceLine): void;
  /** The connection is over; why, as far as the service said so. Called once. */
  ended(reason: string): void;
}

/**
 * Reads the live trace of a service over an open socket, in the order of its lines: the JSON hub protocol of SignalR, as far
 * as `/livetrace` speaks it. A line waits until the template of its event is known, which is asked for once.
 * @spec M-47
 */
export class LiveTrace {
  readonly #socket: WebSocket;
  readonly #events: LiveTraceEvents;
  readonly #wishes: TraceWishes;
  readonly #properties = new Map<number, EventProperties>();
  readonly #asked = new Set<number>();
  readonly #pinging: NodeJS.Timeout;
  #waiting: LogEvent[] = [];
  #isStarted = false;
  #rest = "";
  #reason = "";

  constructor(socket: WebSocket, events: LiveTraceEvents, wishes: TraceWishes) {
    this.#socket = socket;
    this.#events = events;
    this.#wishes = wishes;
    socket.addEventListener("message", ({ data }) => this.#received(String(data)));
    this.#pinging = setInterval(() => this.#send({ type: 6 }), pingMs);
    socket.addEventListener("close", ({ code, reason }) => {
      clearInterval(this.#pinging);
      events.ended(this.#reason || reason || `code ${code}`);
    });
    this.#send({ protocol: "json", version: 1 });
  }

  close(): void {
    this.#socket.close(1000);
  }

  #received(text: string): void {
    const messages = (this.#rest + text).split(separator);
    this.#rest = messages.pop() ?? "";
    for (const message of messages) this.#message(parseJson(message));
  }

  #message(message: unknown): void {
    if (!isRawObject(message)) return;
    const { type, target, arguments: args, error } = message;
    if (typeof error === "string") this.#reason = error;
    // The answer to the handshake is the only message without a type.
    if (type === undefined) this.#shookHands();
    else if (type === 7) this.#socket.close(1000);
    else if (type === 1 && typeof target === "string" && Array.isArray(args))
      this.#invoked(target.toLowerCase(), args[0]);
  }

  #shookHands(): void {
    if (this.#isStarted || this.#reason !== "") {
      this.#socket.close(1000);
      return;
    }
    this.#isStarted = true;
    const { bodies, filter } = this.#wishes;
    if (Object.values(filter).some((values) => values.length > 0)) this.#call("Filter", filter);
    if (bodies) this.#call("CaptureWebhookBodies", true);
    this.#call("startListeningToLogEvents");
    this.#events.started();
  }

  #invoked(target: string, argument: unknown): void {
    if (target === "logproperty") {
      const properties = readEventProperties(argument);
      if (properties !== null) this.#properties.set(properties.eventId, properties);
    } else if (target === "logevent") {
      const event = readLogEvent(argument);
      if (event !== null) this.#waiting.push(event);
      if (event !== null && !this.#asked.has(event.eventId)) {
        this.#asked.add(event.eventId);
        this.#call("LogProperty", event.eventId);
      }
      if (this.#waiting.length > maxWaiting) this.#waiting.shift();
    }
    this.#deliver();
  }

  /** Hands on the lines whose template is known, up to the first whose is not. */
  #deliver(): void {
    for (let event = this.#waiting[0]; event !== undefined; event = this.#waiting[0]) {
      const properties = this.#properties.get(event.eventId);
      if (properties === undefined) return;
      this.#waiting.shift();
      this.#events.line(completeLine(event, properties));
    }
  }

  #call(target: string, ...args: readonly unknown[]): void {
    this.#send({ type: 1, target, arguments: args });
  }

  #send(message: object): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message) + separator);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // nothing that this protocol knows
  }
}
