import type { Frame } from "../core/outbound.ts";
import type { FrameSink, Scheduler, SocketEvents } from "../core/ports.ts";
import { describeEvent } from "./event-table.ts";
import { type LineFilter, type LineSubject, parseFilter } from "./line-filter.ts";
import * as protocol from "./protocol.ts";

/** Lines that a viewer gets in a second; ours: whoever watches a busy service must not become its greatest load. */
const maxLinesPerSecond = 2000;
/** Lines and characters that may wait for one viewer; ours. More are dropped. */
const maxLines = 2000;
const maxCharacters = 4 * 1_048_576;
/** Lines go out in frames of about this size: one per event-loop turn, not one per line. */
const frameCharacters = 65_536;
/** Longest message of a viewer, as with other SignalR servers. */
const maxMessageCharacters = 32_768;
/** What answers may take beside the lines; a viewer that asks on and on and reads nothing is closed. Ours. */
const maxAnswerCharacters = 262_144;

/** How often a viewer is told how many lines it did not get. */
const noteMs = 1000;

const normalClosure = 1000;
const goingAway = 1001;
const unsupportedData = 1003;
const policyViolation = 1008;

export interface ViewerOptions {
  readonly scheduler: Scheduler;
  now(): number;
  /** The line that says how many lines were left out. */
  droppedLine(count: number): string;
  /** A line was left out. */
  dropped(): void;
  /** Whether it listens is no longer what it was. */
  changed(): void;
  closed(): void;
}

/**
 * One connection that watches (management 13.2). What it gets in a second and its queue are bounded: what does not fit is
 * dropped, counted, and told to the viewer once a second as soon as there is room. It never makes anybody wait.
 */
export class Viewer implements SocketEvents {
  readonly #sink: FrameSink;
  readonly #options: ViewerOptions;
  #state: "handshake" | "connected" | "listening" | "over" = "handshake";
  #received = "";
  #heardAt: number;
  #queue: string[] = [];
  #characters = 0;
  #filter: LineFilter | null = null;
  #isCapturing = false;
  #second = Number.NEGATIVE_INFINITY;
  #linesInSecond = 0;
  #dropped = 0;
  #notedAt = Number.NEGATIVE_INFINITY;
  #stopNote: (() => void) | null = null;
  /** A frame that the socket did not take. */
  #waiting: Frame | null = null;
  #isScheduled = false;

  constructor(sink: FrameSink, options: ViewerOptions) {
    this.#sink = sink;
    this.#options = options;
    this.#heardAt = options.now();
  }

  get isListening(): boolean {
    return this.#state === "listening";
  }

  /** Closed from this side; the socket may take its time. */
  get isOver(): boolean {
    return this.#state === "over";
  }

  /** When something of the viewer arrived last, on the wall clock. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Whether it asked to see what is exchanged with event handlers. */
  get isCapturing(): boolean {
    return this.#isCapturing && this.isListening;
  }

  /** Whether it gets a line about this now; one that it asked for and has no room for is counted as dropped. */
  admits(subject: LineSubject): boolean {
    return this.reserves(subject, false);
  }

  /**
   * The same for a line that may come later, or the two of a delivery that is late. `isBeyond`: only if it asked for the
   * connection or the user, and not for a hub or everything.
   */
  reserves(subject: LineSubject, isBeyond: boolean): boolean {
    if (!this.isListening || this.#filter?.matches(subject) === false) return false;
    const isAsked = !isBeyond || this.#filter?.isNarrow === true;
    if (isAsked && this.#hasRoom() && this.#fits("")) {
      this.#linesInSecond += 1;
      return true;
    }
    this.leaveOut();
    return false;
  }

  /** Counts a line as dropped. */
  leaveOut(): void {
    if (!this.isListening) return;
    this.#dropped += 1;
    this.#options.dropped();
    // It is told even if no other line comes.
    this.#stopNote ??= this.#options.scheduler.after(noteMs, () => {
      this.#stopNote = null;
      if (!this.isOver) this.#flush();
    });
  }

  /** Queues a line that it admitted, separator included, or drops it after all. */
  push(line: string): void {
    if (!this.isListening) return;
    if (this.#dropped > 0 && this.#mayNote() && this.#fits(line)) this.#noteDropped();
    if (this.#fits(line)) this.#enqueue(line);
    else this.leaveOut();
  }

  ping(): void {
    const isIdle = this.#queue.length === 0 && this.#waiting === null;
    if (this.#state !== "handshake" && isIdle) this.#enqueue(protocol.ping);
  }

  /** Cuts a socket that does not close. */
  abort(): void {
    this.#sink.abort();
  }

  /** Says why and closes; nothing comes after it. */
  close(reason: string): void {
    if (this.#state === "over") return;
    if (this.#state !== "handshake" && this.#waiting === null) this.#sink.write([protocol.closing(reason, true)]);
    this.#end(goingAway);
  }

  frame(frame: Frame): void {
    if (this.#state === "over") return;
    this.#heardAt = this.#options.now();
    if (typeof frame !== "string") {
      this.#end(unsupportedData);
      return;
    }
    this.#received += frame;
    for (;;) {
      const end = this.#received.indexOf(protocol.separator);
      if (end > maxMessageCharacters || (end < 0 && this.#received.length > maxMessageCharacters)) {
        this.#refuse("A message is too long.");
        return;
      }
      if (end < 0) return;
      const message = this.#received.slice(0, end);
      this.#received = this.#received.slice(end + 1);
      this.#message(message);
      if (this.isOver) return;
      if (this.#characters > maxCharacters + maxAnswerCharacters) {
        this.#end(policyViolation);
        return;
      }
    }
  }

  drained(): void {
    this.#flush();
  }

  alive(): void {
    this.#heardAt = this.#options.now();
  }

  closed(): void {
    this.#state = "over";
    this.#stopNote?.();
    this.#options.closed();
  }

  #message(text: string): void {
    if (this.#state === "handshake") {
      const fault = protocol.handshakeFault(text);
      this.#enqueue(protocol.handshakeAnswer(fault));
      if (fault === null) this.#state = "connected";
      else {
        this.#flush();
        this.#end(normalClosure);
      }
      return;
    }
    const message = protocol.parseMessage(text);
    if (message === null) {
      this.#refuse("A message is not one of the JSON hub protocol.");
      return;
    }
    switch (message.kind) {
      case "ignored":
        return;
      case "close":
        this.#end(normalClosure);
        return;
      case "invocation": {
        const fault = this.#invoked(message.target, message.args);
        if (message.id !== null) this.#enqueue(protocol.completion(message.id, fault));
      }
    }
  }

  /** Does what a viewer calls for; what is wrong, or null. */
  #invoked(target: string, args: readonly unknown[]): string | null {
    switch (target) {
      case "startlisteningtologevents":
        if (this.#state === "connected") {
          this.#state = "listening";
          this.#options.changed();
        }
        return null;
      case "logproperty": {
        const [id] = args;
        const description = typeof id === "number" ? describeEvent(id) : null;
        if (description === null) return "No event has this id.";
        this.#enqueue(protocol.invocation("LogProperty", description));
        return null;
      }
      case "filter": {
        const filter = parseFilter(args[0] ?? null);
        if (filter === undefined)
          return "A filter is an object of hub, connectionId and userId, texts or lists of them.";
        this.#filter = filter;
        return null;
      }
      case "capturewebhookbodies": {
        const [isWanted] = args;
        if (typeof isWanted !== "boolean") return "It takes true or false.";
        this.#isCapturing = isWanted;
        return null;
      }
      default:
        return "There is no such method.";
    }
  }

  #refuse(reason: string): void {
    if (this.#waiting === null) this.#sink.write([protocol.closing(reason, false)]);
    this.#end(normalClosure);
  }

  #end(code: number): void {
    this.#state = "over";
    this.#queue = [];
    this.#characters = 0;
    this.#received = "";
    this.#stopNote?.();
    this.#sink.close(code, "");
    this.#options.changed();
  }

  #fits(line: string): boolean {
    return this.#queue.length < maxLines && this.#characters + line.length <= maxCharacters;
  }

  #hasRoom(): boolean {
    const second = Math.floor(this.#options.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#linesInSecond = 0;
    }
    return this.#linesInSecond < maxLinesPerSecond;
  }

  #mayNote(): boolean {
    return Math.abs(this.#options.now() - this.#notedAt) >= noteMs;
  }

  #noteDropped(): void {
    this.#notedAt = this.#options.now();
    this.#enqueue(this.#options.droppedLine(this.#dropped));
    this.#dropped = 0;
  }

  #enqueue(message: string): void {
    this.#queue.push(message);
    this.#characters += message.length;
    if (this.#isScheduled || this.#waiting !== null) return;
    this.#isScheduled = true;
    this.#options.scheduler.afterTurn(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    for (;;) {
      if (this.#waiting === null && this.#queue.length === 0 && this.#dropped > 0 && this.#mayNote())
        this.#noteDropped();
      this.#waiting ??= this.#nextFrame();
      if (this.#waiting === null || this.#sink.write([this.#waiting]) === 0) return;
      this.#waiting = null;
    }
  }

  #nextFrame(): Frame | null {
    let count = 0;
    let size = 0;
    for (const line of this.#queue) {
      if (count > 0 && size + line.length > frameCharacters) break;
      count += 1;
      size += line.length;
    }
    if (count === 0) return null;
    this.#characters -= size;
    return this.#queue.splice(0, count).join("");
  }
}
