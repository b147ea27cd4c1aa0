import {
  type AckId,
  type EventName,
  type GroupName,
  parseAckId,
  parseEventName,
  parseGroupName,
} from "../../core/names.ts";
import { checkMetadata, emptyText, type Metadata, metadataLimits, type Payload } from "../../core/payload.ts";
import { isProtobufAny } from "../../core/protobuf-any.ts";
import type { DecodeFault } from "../codec.ts";
import { decodeBase64 } from "../shared/base64.ts";
import { scanObject } from "../shared/json-scanner.ts";

// Readers of single members. Each takes the member's source text as the scanner found it: one valid JSON value, or "" where
// the member is not there.

const maxTtlSeconds = 300;
/** Up to this length a frame may live as long as a part of it. Ours: small beside what a queued message costs anyway. */
const smallFrame = 1024;

/**
 * Fills in the source text of the members of an object that `members` already has; the last of equal ones counts. False,
 * and nothing filled in, if the source is not a valid object.
 */
export function fillMembers(source: string, members: Record<string, string>): boolean {
  const scanner = scanObject(source);
  if (scanner === null) return false;
  let step = scanner.next();
  for (; step === "member"; step = scanner.next()) {
    const name = source.slice(scanner.nameStart + 1, scanner.nameEnd - 1);
    const key = name.includes("\\") ? unescapeName(name) : name;
    if (Object.hasOwn(members, key)) members[key] = source.slice(scanner.valueStart, scanner.valueEnd);
  }
  return step === "end";
}

/** The name of a member whose source text, without its quotes, has escapes. */
export function unescapeName(name: string): string {
  return readString(`"${name}"`) ?? "";
}

/** A string with the same characters that shares no memory with this one. */
export function copy(text: string): string {
  // Verified to copy, unlike slicing and concatenating.
  return readString(JSON.stringify(text)) ?? "";
}

/**
 * A slice of a string keeps the whole string alive: a message waiting in a queue would hold its frame, which can be 1 MiB
 * around a byte of data. Strings of other members are copied when they are read.
 */
export function detach(part: string, frame: string): string {
  return frame.length > smallFrame && part.length * 2 < frame.length ? copy(part) : part;
}

/** The fault of a message that 6.9 calls invalid; `text` says what is wrong. */
export function invalid(text: string): DecodeFault {
  return { kind: "fault", cause: "invalidJsonMessage", text };
}

/** The fault of a group name that is not one (C-57). */
export function invalidGroup(): DecodeFault {
  return invalid("The group name is missing or invalid.");
}

/** The fault of an ack id that is not one (C-59). */
export function invalidAckId(): DecodeFault {
  return invalid("ackId is not an unsigned 64-bit integer.");
}

/** The fault of metadata beyond their rules (C-48). */
export function invalidMetadata(): DecodeFault {
  return invalid("The metadata are not an object of strings within the limits.");
}

/** Whether there is no such member, or one that counts as absent (client-protocols 6.1). */
export function isAbsent(source: string): boolean {
  return source === "" || source === "null";
}

/** The value of a JSON string as a string of its own, null for any other valid source. */
export function readString(source: string): string | null {
  if (!source.startsWith('"')) return null;
  const value: unknown = JSON.parse(source);
  return typeof value === "string" ? value : null;
}

/** null: absent or invalid. */
export function readGroup(source: string): GroupName | null {
  const name = readString(source);
  return name === null ? null : parseGroupName(name);
}

/** null: absent or invalid. */
export function readEvent(source: string): EventName | null {
  const name = readString(source);
  return name === null ? null : parseEventName(name);
}

/** null: absent, undefined: invalid. */
export function readAckId(source: string): AckId | null | undefined {
  if (isAbsent(source)) return null;
  return parseAckId(copy(source)) ?? undefined;
}

/** null: invalid. */
export function readNoEcho(source: string): boolean | null {
  if (isAbsent(source) || source === "false") return false;
  return source === "true" ? true : null;
}

/** null: invalid. */
export function readTtl(source: string): number | null {
  if (isAbsent(source)) return 0;
  if (!/^[0-9]{1,3}$/.test(source)) return null;
  const seconds = Number(source);
  return seconds <= maxTtlSeconds ? seconds : null; // C-50
}

/** null: absent or empty, undefined: invalid. */
export function readMetadata(source: string): Metadata | null | undefined {
  if (isAbsent(source)) return null;
  const scanner = scanObject(source);
  if (scanner === null) return undefined;
  const metadata: (readonly [string, string])[] = [];
  for (let step = scanner.next(); step === "member"; step = scanner.next()) {
    const key = readString(source.slice(scanner.nameStart, scanner.nameEnd));
    const value = readString(source.slice(scanner.valueStart, scanner.valueEnd));
    if (key === null || value === null) return undefined;
    metadata.push([key, value]);
    if (metadata.length > metadataLimits.totalLength) return undefined; // No key is empty: time to stop reading.
  }
  if (metadata.length === 0) return null;
  return checkMetadata(metadata) === null ? metadata : undefined; // C-48
}

/** Source text of the members that make a payload. */
export interface PayloadSource {
  readonly data: string;
  readonly dataType: string;
  /** A message that has metadata needs no data (C-49). */
  readonly metadata: string;
}

/** The payload of client-protocols 6.4; a string says what is wrong. */
export function readPayload({ data, dataType, metadata }: PayloadSource): Payload | string {
  const type = isAbsent(dataType) ? "json" : readString(dataType)?.toLowerCase();
  if (type !== "json" && type !== "text" && type !== "binary" && type !== "protobuf") return "The dataType is unknown.";
  if (data === "") return isAbsent(metadata) ? "The data are missing." : emptyText; // C-49
  if (type === "json") return data === "null" ? "The data are null." : { kind: "json", source: data }; // C-46
  const text = readString(data);
  if (text === null) return "The data are not a string.";
  if (type === "text") return { kind: "text", text };
  const bytes = decodeBase64(text);
  if (bytes === null) return "The data are not base64.";
  if (type === "binary") return { kind: "binary", bytes };
  return isProtobufAny(bytes) ? { kind: "protobuf", any: bytes } : "The data are not a serialized google.protobuf.Any.";
}
