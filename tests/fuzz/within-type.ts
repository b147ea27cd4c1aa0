import type { Command } from "../../src/core/commands.ts";
import { endings } from "../../src/core/endings.ts";
import { maxClientIdLength, parseAckId, parseEventName, parseGroupName } from "../../src/core/names.ts";
import { checkMetadata, type Payload } from "../../src/core/payload.ts";
import { isProtobufAny } from "../../src/core/protobuf-any.ts";
import type { Decoded } from "../../src/protocols/codec.ts";

/**
 * What a decoder returned that its type does not allow, or null: the parsers of names are the definition of what a command
 * may hold, since core checks nothing again.
 */
export function typeProblem(decoded: Decoded): string | null {
  if (decoded.kind === "fault") return Object.hasOwn(endings, decoded.cause) ? null : `unknown cause ${decoded.cause}`;
  const wrong = Object.entries(decoded).find(([member, value]) => !isAllowed(decoded, member, value));
  return wrong === undefined ? null : `${decoded.kind} with ${wrong[0]} ${Bun.inspect(wrong[1]).slice(0, 200)}`;
}

function isAllowed(command: Command, member: string, value: unknown): boolean {
  switch (member) {
    case "kind":
      return true;
    case "group":
      return typeof value === "string" && parseGroupName(value) === value;
    case "event":
      return typeof value === "string" && parseEventName(value) === value;
    case "ackId":
      return value === null || (typeof value === "string" && parseAckId(value) === value);
    case "sequenceId":
      return command.kind === "streamData"
        ? Number.isInteger(value) && Number(value) >= 1
        : typeof value === "string" && parseAckId(value) === value;
    case "noEcho":
    case "opens":
      return typeof value === "boolean";
    case "ttlSeconds":
      return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 300;
    case "idleTimeoutMs":
      return Number.isInteger(value) && Number(value) > 0;
    case "message":
      return typeof value === "string" && value !== "";
    case "streamId":
    case "invocationId":
      return (
        typeof value === "string" && (!mustBeShort(command) || (value !== "" && value.length <= maxClientIdLength))
      );
    case "payload":
      return "payload" in command && isPayload(command.payload);
    case "metadata":
      return value === null || ("metadata" in command && isMetadata(command.metadata));
    case "state":
      return value === null || (isEntries(value) && new Set(value.map(([key]) => key)).size === value.length);
    case "error":
      return value === null || Object.values(value ?? {}).every((text) => text === null || typeof text === "string");
    default:
      return false;
  }
}

function mustBeShort({ kind }: Command): boolean {
  return kind === "streamStart" || kind === "invoke" || kind === "invokeProblem";
}

function isMetadata(metadata: unknown): boolean {
  return isEntries(metadata) && metadata.length > 0 && checkMetadata(metadata) === null;
}

function isEntries(value: unknown): value is readonly (readonly [string, string])[] {
  const isText = (part: unknown): boolean => typeof part === "string";
  return (
    Array.isArray(value) && value.every((entry) => Array.isArray(entry) && entry.length === 2 && entry.every(isText))
  );
}

function isPayload(payload: Payload): boolean {
  switch (payload.kind) {
    case "text":
      return typeof payload.text === "string";
    case "json":
      JSON.parse(payload.source); // Throws otherwise.
      return true;
    case "binary":
      return payload.bytes instanceof Uint8Array;
    case "protobuf":
      return payload.any instanceof Uint8Array && isProtobufAny(payload.any);
  }
}
