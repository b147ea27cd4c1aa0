import {
  type AckId,
  type EventName,
  type GroupName,
  parseAckId,
  parseEventName,
  parseGroupName,
} from "../../core/names.ts";
import type { Frame } from "../../core/outbound.ts";
import { checkMetadata, emptyText, type Metadata, type Payload } from "../../core/payload.ts";
import { isProtobufAny } from "../../core/protobuf-any.ts";
import type { Decoded, DecodeFault } from "../codec.ts";
import { decodeBase64 } from "../shared/base64.ts";
import { scanObject } from "../shared/json-scanner.ts";

const maxTtlSeconds = 300;
/** Up to this length a frame may live as long as a part of it. Ours: small beside what a queued message costs anyway. */
const smallFrame = 1024;

const textRequired: DecodeFault = { kind: "fault", cause: "textRequired", text: null };

/**
 * Decodes a request of `json.webpubsub.azure.v1` (client-protocols 6). Unknown members are ignored, the last of equal ones
 * counts. Anything that 6.9 calls invalid is the fault `invalidJsonMessage`, and so are the request types that this codec
 * does not know.
 */
export function decodeJsonV1(frame: Frame): Decoded {
  if (typeof frame !== "string") return textRequired; // C-61
  const source = readMembers(frame);
  if (source === null) return invalid("The message is not a JSON object.");
  const type = readString(source.type)?.toLowerCase(); // C-60
  switch (type) {
    case "sendtogroup":
      return decodeSendToGroup(source);
    case "event":
      return decodeEvent(source);
    case "joingroup":
      return decodeMembership(source, "joinGroup");
    case "leavegroup":
      return decodeMembership(source, "leaveGroup");
    case "ping":
      return { kind: "ping" };
    case "sequenceack":
      return decodeSequenceAck(source);
    default:
      return invalid("The type is missing or unknown.");
  }
}

/** Source text of the members a request can have; "" where there is none. */
interface Members {
  type: string;
  group: string;
  event: string;
  data: string;
  dataType: string;
  ackId: string;
  noEcho: string;
  ttlSeconds: string;
  metadata: string;
  sequenceId: string;
  stream: string;
}

function readMembers(frame: string): Members | null {
  const scanner = scanObject(frame);
  if (scanner === null) return null;
  const members: Members = {
    type: "",
    group: "",
    event: "",
    data: "",
    dataType: "",
    ackId: "",
    noEcho: "",
    ttlSeconds: "",
    metadata: "",
    sequenceId: "",
    stream: "",
  };
  for (;;) {
    const step = scanner.next();
    if (step === "invalid") return null;
    if (step === "end") return detachData(members, frame);
    const name = frame.slice(scanner.nameStart + 1, scanner.nameEnd - 1);
    const value = frame.slice(scanner.valueStart, scanner.valueEnd);
    setMember(members, name.includes("\\") ? unescapeName(name) : name, value);
  }
}

// One assignment per name: storing under a computed name took three times as long.
function setMember(members: Members, name: string, value: string): void {
  switch (name) {
    case "type":
      members.type = value;
      break;
    case "group":
      members.group = value;
      break;
    case "event":
      members.event = value;
      break;
    case "data":
      members.data = value;
      break;
    case "dataType":
      members.dataType = value;
      break;
    case "ackId":
      members.ackId = value;
      break;
    case "noEcho":
      members.noEcho = value;
      break;
    case "ttlSeconds":
      members.ttlSeconds = value;
      break;
    case "metadata":
      members.metadata = value;
      break;
    case "sequenceId":
      members.sequenceId = value;
      break;
    case "stream":
      members.stream = value;
      break;
  }
}

function unescapeName(name: string): string {
  return readString(`"${name}"`) ?? "";
}

/**
 * A slice of a string keeps the whole string alive: a message waiting in a queue would hold its frame, which can be 1 MiB
 * around a byte of data. Strings of other members are copied when they are read.
 */
function detachData(members: Members, frame: string): Members {
  if (frame.length > smallFrame && members.data.length * 2 < frame.length) members.data = copy(members.data);
  return members;
}

function copy(text: string): string {
  // Verified to copy, unlike slicing and concatenating.
  return readString(JSON.stringify(text)) ?? "";
}

function decodeSendToGroup(source: Members): Decoded {
  const group = readGroup(source.group);
  if (group === null) return invalidGroup();
  const ackId = readAckId(source.ackId);
  if (ackId === undefined) return invalidAckId();
  if (!isAbsent(source.stream)) return invalid("Streams are not supported.");
  const noEcho = readNoEcho(source.noEcho);
  if (noEcho === null) return invalid("noEcho is not a boolean.");
  const ttlSeconds = readTtl(source.ttlSeconds);
  if (ttlSeconds === null) return invalid("ttlSeconds is not an integer of 0 to 300.");
  const metadata = readMetadata(source.metadata);
  if (metadata === undefined) return invalidMetadata();
  const payload = readPayload(source);
  if (typeof payload === "string") return invalid(payload);
  return { kind: "sendToGroup", group, payload, metadata, noEcho, ttlSeconds, ackId };
}

function decodeEvent(source: Members): Decoded {
  const event = readEvent(source.event);
  if (event === null) return invalid("The event name is missing or invalid.");
  const ackId = readAckId(source.ackId);
  if (ackId === undefined) return invalidAckId();
  if (!isAbsent(source.stream)) return invalid("Streams are not supported.");
  const metadata = readMetadata(source.metadata);
  if (metadata === undefined) return invalidMetadata();
  const payload = readPayload(source);
  if (typeof payload === "string") return invalid(payload);
  return { kind: "event", event, payload, metadata, ackId };
}

function decodeMembership(source: Members, kind: "joinGroup" | "leaveGroup"): Decoded {
  const group = readGroup(source.group);
  if (group === null) return invalidGroup();
  const ackId = readAckId(source.ackId);
  if (ackId === undefined) return invalidAckId();
  return { kind, group, ackId };
}

function decodeSequenceAck({ sequenceId: source }: Members): Decoded {
  // Documentation shows it quoted as well (client-protocols 6.1).
  const sequenceId = parseAckId(readString(source) ?? copy(source));
  if (sequenceId === null) return invalid("sequenceId is not an unsigned 64-bit integer.");
  return { kind: "sequenceAck", sequenceId };
}

function invalid(text: string): DecodeFault {
  return { kind: "fault", cause: "invalidJsonMessage", text };
}

function invalidGroup(): DecodeFault {
  return invalid("The group name is missing or invalid.");
}

function invalidAckId(): DecodeFault {
  return invalid("ackId is not an unsigned 64-bit integer.");
}

function invalidMetadata(): DecodeFault {
  return invalid("The metadata are not an object of strings within the limits.");
}

function isAbsent(source: string): boolean {
  return source === "" || source === "null";
}

/** The value of a JSON string as a string of its own, null for any other valid source. */
function readString(source: string): string | null {
  if (!source.startsWith('"')) return null;
  const value: unknown = JSON.parse(source);
  return typeof value === "string" ? value : null;
}

function readGroup(source: string): GroupName | null {
  const name = readString(source);
  return name === null ? null : parseGroupName(name);
}

function readEvent(source: string): EventName | null {
  const name = readString(source);
  return name === null ? null : parseEventName(name);
}

/** null: absent, undefined: invalid. */
function readAckId(source: string): AckId | null | undefined {
  if (isAbsent(source)) return null;
  return parseAckId(copy(source)) ?? undefined;
}

function readNoEcho(source: string): boolean | null {
  if (isAbsent(source) || source === "false") return false;
  return source === "true" ? true : null;
}

function readTtl(source: string): number | null {
  if (isAbsent(source)) return 0;
  if (!/^[0-9]{1,3}$/.test(source)) return null;
  const seconds = Number(source);
  return seconds <= maxTtlSeconds ? seconds : null; // C-50
}

/** null: absent or empty, undefined: invalid. */
function readMetadata(source: string): Metadata | null | undefined {
  if (isAbsent(source)) return null;
  const scanner = scanObject(source);
  if (scanner === null) return undefined;
  const metadata: (readonly [string, string])[] = [];
  for (let step = scanner.next(); step === "member"; step = scanner.next()) {
    const key = readString(source.slice(scanner.nameStart, scanner.nameEnd));
    const value = readString(source.slice(scanner.valueStart, scanner.valueEnd));
    if (key === null || value === null) return undefined;
    metadata.push([key, value]);
  }
  if (metadata.length === 0) return null;
  return checkMetadata(metadata) === null ? metadata : undefined; // C-48
}

/** A string says what is wrong. */
function readPayload({ data, dataType, metadata }: Members): Payload | string {
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
