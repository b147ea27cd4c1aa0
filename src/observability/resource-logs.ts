import type { Clock } from "../core/ports.ts";
import { escapeControls } from "./escape-controls.ts";
import type { Redactor } from "./redact.ts";
import type { WebhookExchange } from "./webhook-bodies.ts";

/** Categories that can be switched on one by one (management 14.1). */
export type ResourceCategory = "ConnectivityLogs" | "MessagingLogs" | "HttpRequestLogs";

export type ResourceLevel = "Debug" | "Informational" | "Warning" | "Error";

/** Details of a record (management 14.2); what does not apply is left out. */
export interface ResourceProperties {
  readonly message: string;
  readonly collection?: "Connection" | "Authorization" | "Throttling";
  readonly connectionId?: string;
  readonly userId?: string | null;
  readonly hub?: string;
  readonly routeTemplate?: string;
  readonly httpMethod?: string;
  readonly url?: string;
  readonly traceId?: string;
  readonly statusCode?: number;
  /** Milliseconds. */
  readonly duration?: number;
  /** Milliseconds from the receipt of the message to this line, to the microsecond. */
  readonly elapsed?: number;
  /** The same to its place in the queue of the recipient. */
  readonly queued?: number;
  /** What a message came as, such as `sendToGroup`. */
  readonly kind?: string;
  /** Characters of text, bytes of everything else. */
  readonly size?: number;
  readonly recipients?: number;
  /** See `DeliveryStep`. */
  readonly stage?: string;
  /** Messages that wait for the recipient. */
  readonly queueLength?: number;
  readonly bufferedBytes?: number;
  readonly sequenceId?: number;
  /** Lines that were left out. */
  readonly dropped?: number;
}

/** One line of the resource log before time and resource identity are added. */
export interface ResourceRecord {
  readonly category: ResourceCategory;
  readonly operationName: string;
  readonly level: ResourceLevel;
  readonly callerIpAddress?: string;
  readonly properties: ResourceProperties;
  /** What was exchanged with an event handler, for a view that asked for it; the resource log never has it. */
  readonly exchange?: WebhookExchange | null;
}

/** Where resource records go. Cheap when switched off; never throws. */
export interface RecordSink {
  /** Whether a record of this category would be written; lets a caller skip building it (M-49). */
  wants(category: ResourceCategory): boolean;
  /** Writes the record unless its category is switched off. Strings are redacted (M-10, H-55). */
  write(record: ResourceRecord): void;
}

/** The resource log. */
export interface ResourceLogs extends RecordSink {
  /** Takes effect with the next record. */
  configure(settings: ResourceLogSettings): void;
}

export interface ResourceLogSettings {
  /** Categories that are written. */
  readonly categories: readonly ResourceCategory[];
  /** Takes one line without line break and must not throw; null: resource logs are off. */
  readonly write: ((line: string) => void) | null;
}

export interface ResourceLogsOptions {
  /** Name of the service; becomes part of `resourceId`. */
  readonly serviceName: string;
  readonly settings: ResourceLogSettings;
  readonly clock: Clock;
  readonly redactor: Redactor;
}

/**
 * Creates the resource log: one JSON object per line with the fields of Azure's resource logs. Lines are neither
 * throttled nor buffered; who opens the file owns and closes it.
 * @spec M-49 M-50 M-51
 */
export function createResourceLogs(options: ResourceLogsOptions): ResourceLogs {
  const { clock, redactor } = options;
  const resourceId = `/LOCAL/WEBPUBSUB/${options.serviceName.toUpperCase()}`;
  let settings = options.settings;
  const wants = (category: ResourceCategory): boolean =>
    settings.write !== null && settings.categories.includes(category);
  return {
    wants,
    write(record) {
      if (settings.write === null || !wants(record.category)) return;
      const { level, category, operationName, callerIpAddress } = record;
      const properties = Object.fromEntries(
        Object.entries(record.properties).map(([name, value]: [string, string | number | null]) => {
          return [name, typeof value === "string" ? redactor.redact(value) : value];
        }),
      );
      const time = new Date(clock.now()).toISOString();
      const line = { time, level, category, operationName, callerIpAddress, resourceId, location: "local", properties };
      settings.write(escapeControls(JSON.stringify(line)));
    },
    configure(changed) {
      settings = changed;
    },
  };
}

/** Hands every record to both sinks, as far as each wants it. */
export function bothSinks(first: RecordSink, second: RecordSink): RecordSink {
  return {
    wants: (category) => first.wants(category) || second.wants(category),
    write(record) {
      first.write(record);
      second.write(record);
    },
  };
}

/** The event request an unexpected answer belongs to. */
export interface EventRequestFacts {
  readonly hub: string;
  readonly event: string;
  /** `sys`: connect, connected, disconnected; `user`: everything a client sends. */
  readonly type: "sys" | "user";
}

/**
 * Returns the text that operators are told to search for when an event handler answers with an unexpected status
 * (management 14.3). Only the `connect` form is documented; the others follow it.
 */
export function unexpectedResponseText(facts: EventRequestFacts, status: number): string {
  const isSystem = facts.type === "sys";
  const category = isSystem ? "connections" : "messages";
  const requestType = isSystem ? `${facts.event.slice(0, 1).toUpperCase()}${facts.event.slice(1)}` : "User";
  const operation = `hub:${facts.hub},event:${facts.event},type:${facts.type},category:${category},requestType:${requestType}`;
  return `Sending message during operation ${operation} got unexpected response with status code ${status}.`;
}
