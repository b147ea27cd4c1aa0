import {
  type AckId,
  type ConnectionId,
  type EventName,
  type GroupName,
  type HubName,
  parseAckId,
  parseConnectionId,
  parseEventName,
  parseGroupName,
  parseHubName,
  parseUserId,
  type UserId,
} from "../../src/core/names.ts";

/** Names for tests; each throws on a text that is no such name. */
export const named = {
  hub: (text: string): HubName => valid(parseHubName(text), text),
  group: (text: string): GroupName => valid(parseGroupName(text), text),
  user: (text: string): UserId => valid(parseUserId(text), text),
  connection: (text: string): ConnectionId => valid(parseConnectionId(text), text),
  event: (text: string): EventName => valid(parseEventName(text), text),
  ackId: (text: string): AckId => valid(parseAckId(text), text),
};

function valid<Name>(parsed: Name | null, text: string): Name {
  if (parsed === null) throw new Error(`not a valid name: ${text}`);
  return parsed;
}
