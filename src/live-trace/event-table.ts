import type { ResourceLevel } from "../observability/resource-logs.ts";

/** What a viewer learns when it asks for an event id (management 13.2). */
export interface EventDescription {
  readonly eventId: number;
  readonly eventName: string;
  /** Its placeholders are filled in order by the `values` of a line. */
  readonly template: string;
  /** 0 trace, 1 debug, 2 information, 3 warning, 4 error. */
  readonly logLevel: number;
}

const logLevels = { Debug: 1, Informational: 2, Warning: 3, Error: 4 } as const satisfies Record<ResourceLevel, number>;
const levelsPerEvent = 10;

/**
 * Names in the order of their numbers, which never change: new ones go to the end. A number and a level make an event id,
 * because a viewer takes the level from the id.
 */
const names = [
  "ConnectionStarted",
  "ConnectionEnded",
  "ConnectionAborted",
  "AudienceRefused",
  "ClientTokenRefused",
  "ConnectionCountLimitReached",
  "MessageCountLimitReached",
  "HttpRequestCompleted",
  "RestAuthorizationFailed",
  "EventHandlerInvoked",
  "HttpHandlerUnexpectedResponse",
  "EventHandlerInvalidResponse",
  "EventHandlerTimedOut",
  "EventHandlerUnreachable",
  "EventHandlerAborted",
  "AbuseProtectionResponseMissingAllowedOrigin",
  "AbuseProtectionResponseInvalidStatusCode",
  "NotificationDropped",
  "MessagePublished",
  "GroupJoined",
  "GroupLeft",
  "EventUnhandled",
  "RequestRefused",
  "LinesDropped",
  "TraceTokenRefused",
  "ServerConnectionStarted",
  "ServerConnectionEnded",
  "ServerTokenRefused",
  "ListenerEventDropped",
  "ListenerEventFailed",
  "EventListenerUnavailable",
  "EventListenerRecovered",
  "MessageReceived",
  "MessageDelivered",
  "MessageDelayed",
  "MessageLost",
] as const;

/** The id of an event at a level; 0 stands for events without a number of their own. */
export function eventId(name: string, level: ResourceLevel): number {
  const known: readonly string[] = names;
  return (known.indexOf(name) + 1) * levelsPerEvent + logLevels[level];
}

/** What an id stands for; null for one that no event has. Every line's only value is its message. */
export function describeEvent(id: number): EventDescription | null {
  const number = Math.floor(id / levelsPerEvent);
  const logLevel = id % levelsPerEvent;
  const eventName = number === 0 ? "Event" : names[number - 1];
  const isLevel = Object.values<number>(logLevels).includes(logLevel);
  return eventName === undefined || !isLevel ? null : { eventId: id, eventName, template: "{message}", logLevel };
}
