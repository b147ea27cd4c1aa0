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
  const wrong = Object.entries(decoded).find(([member, value]) => checks[member]?.(value, decoded) !== true);
  return wrong === undefined ? null : `${decoded.kind} with ${wrong[0]} ${Bun.inspect(wrong[1]).slice(0, 200)}`;
}

type Check = (value: unknown, command: Command) => boolean;

const isText = (value: unknown): value is string => typeof value === "string";
const isBoolean: Check = (value) => typeof value === "boolean";
const isAckId: Check = (value) => isText(value) && parseAckId(value) === value;
const isClientId: Check = (value, command) =>
  isText(value) && (!mustBeShort(command) || (value !== "" && value.length <= maxClientIdLength));
const isWithin = (value: unknown, least: number, most: number): boolean =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= most;

const checks: Readonly<Record<string, Check>> = {
  kind: isText,
  group: (value) => isText(value) && parseGroupName(value) === value,
  event: (value) => isText(value) && parseEventName(value) === value,
  ackId: (value, command) => value === null || isAckId(value, command),
  sequenceId: (value, command) =>
    command.kind === "streamData" ? isWithin(value, 1, 2 ** 64) : isAckId(value, command),
  noEcho: isBoolean,
  opens: isBoolean,
  ttlSeconds: (value) => isWithin(value, 0, 300),
  idleTimeoutMs: (value) => isWithin(value, 1, Number.MAX_SAFE_INTEGER),
  message: (value) => isText(value) && value !== "",
  streamId: isClientId,
  invocationId: isClientId,
  payload: (_value, command) => "payload" in command && isPayload(command.payload),
  metadata: (value) => value === null || (isEntries(value) && value.length > 0 && checkMetadata(value) === null),
  state: (value) => value === null || (isEntries(value) && new Set(value.map(([key]) => key)).size === value.length),
  error: (value) => value === null || Object.values(value ?? {}).every((text) => text === null || isText(text)),
};

function mustBeShort({ kind }: Command): boolean {
  return kind === "streamStart" || kind === "invoke" || kind === "invokeProblem";
}

function isEntries(value: unknown): value is readonly (readonly [string, string])[] {
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
