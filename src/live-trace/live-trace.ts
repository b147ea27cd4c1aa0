import type { Clock, ConnectionFacts, FrameSink, Scheduler, SocketEvents } from "../core/ports.ts";
import { escapeControls } from "../observability/escape-controls.ts";
import type { DeliverySink, PathSink } from "../observability/message-lines.ts";
import type { Redactor } from "../observability/redact.ts";
import type { ResourceCategory, ResourceRecord } from "../observability/resource-logs.ts";
import { describeExchange } from "../observability/webhook-bodies.ts";
import { eventId } from "./event-table.ts";
import * as protocol from "./protocol.ts";
import { Viewer } from "./viewer.ts";

/** Viewers at a time; each costs a copy of every line. Ours. */
const maxViewers = 20;
/** A viewer hears from us at least every 15 s (management 13.2). */
const pingMs = 10_000;
/** Viewers ping every 15 s; one that is silent for twice that is gone. */
const silenceMs = 30_000;

export interface LiveTraceSettings {
  readonly isEnabled: boolean;
  readonly categories: readonly ResourceCategory[];
}

export interface LiveTraceOptions {
  readonly settings: LiveTraceSettings;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly redactor: Redactor;
  /** Called when `wants` may answer otherwise from now on. */
  readonly changed: () => void;
}

/** A place for a viewer whose handshake is under way. */
export interface ViewerPlace {
  open(sink: FrameSink): SocketEvents;
  abandoned(): void;
}

/**
 * The lines of the running service, for whoever watches (management 13). Without viewers nothing is wanted and nothing is
 * built; with them each record becomes a line once, and a viewer that is too slow loses lines, never the service time.
 * @spec M-46 M-47 M-49
 */
export class LiveTrace implements PathSink {
  readonly #options: LiveTraceOptions;
  readonly #viewers = new Set<Viewer>();
  #settings: LiveTraceSettings;
  #reserved = 0;
  #dropped = 0;
  /** Null: nobody watches. */
  #wanted: ReadonlySet<ResourceCategory> | null = null;
  #stopTimer: (() => void) | null = null;

  constructor(options: LiveTraceOptions) {
    this.#options = options;
    this.#settings = options.settings;
  }

  get isEnabled(): boolean {
    return this.#settings.isEnabled;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  /** Lines that viewers did not get, each counted per viewer. */
  get droppedLines(): number {
    return this.#dropped;
  }

  get capturesBodies(): boolean {
    if (this.#wanted === null) return false;
    for (const viewer of this.#viewers) if (viewer.isCapturing) return true;
    return false;
  }

  wants(category: ResourceCategory): boolean {
    return this.#wanted !== null && this.#wanted.has(category);
  }

  /**
   * Hands a record to every viewer that listens and has room. Strings are redacted; there are no payloads in records, and
   * what was exchanged with an event handler is only for viewers that asked for it.
   */
  write(record: ResourceRecord): void {
    if (!this.wants(record.category)) return;
    let line: string | null = null;
    let captured: string | null = null;
    for (const viewer of this.#viewers) {
      if (!viewer.admits(record.properties)) continue;
      if (viewer.isCapturing && record.exchange) viewer.push((captured ??= this.#line(record, record.exchange)));
      else viewer.push((line ??= this.#line(record)));
    }
  }

  follow({ hub, id: connectionId, userId }: ConnectionFacts, isBeyond: boolean): DeliverySink | null {
    let viewers: Viewer[] | null = null;
    // Every viewer is asked: each counts what it does not get.
    for (const viewer of this.#viewers) {
      if (viewer.reserves({ hub, connectionId, userId }, isBeyond)) (viewers ??= []).push(viewer);
    }
    if (viewers === null) return null;
    const followers = viewers;
    return {
      write: (record) => {
        const line = this.#line(record);
        for (const viewer of followers) viewer.push(line);
      },
      leftOut() {
        for (const viewer of followers) viewer.leaveOut();
      },
    };
  }

  /** Takes a place for a viewer; null: there are too many. */
  reserve(): ViewerPlace | null {
    if (this.#viewers.size + this.#reserved >= maxViewers) return null;
    this.#reserved += 1;
    return {
      open: (sink) => {
        this.#reserved -= 1;
        return this.#open(sink);
      },
      abandoned: () => {
        this.#reserved -= 1;
      },
    };
  }

  /** In force for the next line; whoever watches is told and closed when live trace is switched off. */
  configure(settings: LiveTraceSettings): void {
    this.#settings = settings;
    if (!settings.isEnabled) this.close("Live trace was switched off.");
    this.#update();
  }

  /** Closes every viewer; new ones are the caller's business to refuse. */
  close(reason: string): void {
    for (const viewer of this.#viewers) viewer.close(reason);
  }

  #open(sink: FrameSink): Viewer {
    const { scheduler, clock } = this.#options;
    const viewer: Viewer = new Viewer(sink, {
      scheduler,
      now: () => clock.now(),
      droppedLine: (count) => this.#droppedLine(count),
      dropped: () => {
        this.#dropped += 1;
      },
      changed: () => this.#update(),
      closed: () => {
        this.#viewers.delete(viewer);
        this.#update();
      },
    });
    this.#viewers.add(viewer);
    this.#stopTimer ??= scheduler.every(pingMs, () => this.#tick());
    return viewer;
  }

  #tick(): void {
    const now = this.#options.clock.now();
    for (const viewer of this.#viewers) {
      if (viewer.isOver) viewer.abort();
      else if (now - viewer.heardAt > silenceMs) viewer.close("Nothing was heard of you for too long.");
      else viewer.ping();
    }
  }

  #update(): void {
    const isWatched = this.isEnabled && [...this.#viewers].some((viewer) => viewer.isListening);
    this.#wanted = isWatched ? new Set(this.#settings.categories) : null;
    if (this.#viewers.size === 0) {
      this.#stopTimer?.();
      this.#stopTimer = null;
    }
    this.#options.changed();
  }

  #line(record: ResourceRecord, exchange: ResourceRecord["exchange"] = null): string {
    const { redactor, clock } = this.#options;
    const { operationName, level, callerIpAddress, category, properties } = record;
    const { message, ...rest } = properties;
    const context = { category, ...(callerIpAddress !== undefined && { callerIpAddress }), ...rest };
    const logContext: Record<string, string | number> = {};
    for (const [name, value] of Object.entries(context)) {
      if (value !== null) logContext[name] = typeof value === "string" ? redactor.redact(value) : value;
    }
    if (exchange) Object.assign(logContext, describeExchange(exchange, redactor));
    const event = {
      time: new Date(clock.now()).toISOString(),
      eventId: eventId(operationName, level),
      logContext,
      values: [redactor.redact(message)],
      exceptionMessage: null,
    };
    const text = protocol.invocation("logEvent", event);
    return escapeControls(text.slice(0, -protocol.separator.length)) + protocol.separator;
  }

  #droppedLine(count: number): string {
    const message = `${count} lines were left out: more came than this view gets in a second, or than it read in time.`;
    return this.#line({
      category: "ConnectivityLogs",
      operationName: "LinesDropped",
      level: "Warning",
      properties: { message, dropped: count },
    });
  }
}
