import { BinaryReader } from "@bufbuild/protobuf/wire";
import type { Payload } from "../../core/payload.ts";
import { dataField, readMessage, skipField } from "./read-message.ts";
import {
  type RawStreamData,
  type RawStreamEnd,
  type RawStreamStart,
  readStreamData,
  readStreamEnd,
  readStreamStart,
} from "./read-stream.ts";
import { eventTags, mapEntryTags, membershipTags, sendToGroupTags, sequenceAckTags, upstreamTags } from "./tags.ts";

/** The fields of one request as they stand on the wire: well-formed, strings are UTF-8, nothing else is checked. */
export interface RawRequest {
  readonly kind: "sendToGroup" | "event" | "joinGroup" | "leaveGroup" | "sequenceAck" | "ping";
  /** Group or event. */
  name: string;
  /** Decimal text; null: absent. A present 0 is "0" (C-88). */
  ackId: string | null;
  sequenceId: string;
  /** null: no data, or data without a member. The bytes are a part of the frame. */
  data: Payload | null;
  noEcho: boolean;
  ttlSeconds: number;
  metadata: Map<string, string> | null;
  /** What is in an event is read likewise, though events cannot be streams. */
  stream: RawStreamStart | null;
}

/** The fields of what a frame holds. */
export type RawUpstream = RawRequest | RawStreamData | RawStreamEnd;

/**
 * Reads one UpstreamMessage. Unknown fields are skipped, of repeated fields the last counts, the parts of a repeated
 * message are merged, and the last member of a oneof wins (proto3). Returns null when the bytes are malformed or have no
 * member that is known. Takes any bytes, never throws, in linear time.
 */
export function readRequest(frame: Uint8Array): RawUpstream | null {
  try {
    return readUpstream(new BinaryReader(frame));
  } catch {
    return null; // The reader throws on whatever is malformed, the decoder of UTF-8 as well.
  }
}

function readUpstream(reader: BinaryReader): RawUpstream | null {
  let request: RawUpstream | null = null;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    switch (tag[0] * 8 + tag[1]) {
      case upstreamTags.sendToGroup:
        request = same(request, "sendToGroup");
        readMessage(reader, request, sendToGroupField);
        break;
      case upstreamTags.event:
        request = same(request, "event");
        readMessage(reader, request, eventField);
        break;
      case upstreamTags.joinGroup:
        request = same(request, "joinGroup");
        readMessage(reader, request, membershipField);
        break;
      case upstreamTags.leaveGroup:
        request = same(request, "leaveGroup");
        readMessage(reader, request, membershipField);
        break;
      case upstreamTags.sequenceAck:
        request = same(request, "sequenceAck");
        readMessage(reader, request, sequenceAckField);
        break;
      case upstreamTags.ping:
        request = same(request, "ping");
        readMessage(reader, request, noField);
        break;
      case upstreamTags.streamData:
        request = readStreamData(reader, request?.kind === "streamData" ? request : null);
        break;
      case upstreamTags.streamEnd:
        request = readStreamEnd(reader, request?.kind === "streamEnd" ? request : null);
        break;
      default:
        skipField(reader, tag[0], tag[1]);
    }
  }
  return request;
}

/** The request so far if it is of this kind, which the next part is merged into; else a new one. */
function same(request: RawUpstream | null, kind: RawRequest["kind"]): RawRequest {
  if (request?.kind === kind) return request as RawRequest;
  return {
    kind,
    name: "",
    ackId: null,
    sequenceId: "0",
    data: null,
    noEcho: false,
    ttlSeconds: 0,
    metadata: null,
    stream: null,
  };
}

function noField(): boolean {
  return false;
}

function sendToGroupField(reader: BinaryReader, request: RawRequest, tag: number): boolean {
  switch (tag) {
    case sendToGroupTags.group:
      request.name = reader.string(true);
      return true;
    case sendToGroupTags.ackId:
      request.ackId = String(reader.uint64());
      return true;
    case sendToGroupTags.data:
      readMessage(reader, request, dataField);
      return true;
    case sendToGroupTags.noEcho:
      request.noEcho = reader.bool();
      return true;
    case sendToGroupTags.ttlSeconds:
      request.ttlSeconds = reader.uint32();
      return true;
    case sendToGroupTags.metadata:
      readMetadataEntry(reader, request);
      return true;
    case sendToGroupTags.stream:
      request.stream = readStreamStart(reader, request.stream);
      return true;
    default:
      return false;
  }
}

function eventField(reader: BinaryReader, request: RawRequest, tag: number): boolean {
  switch (tag) {
    case eventTags.event:
      request.name = reader.string(true);
      return true;
    case eventTags.data:
      readMessage(reader, request, dataField);
      return true;
    case eventTags.ackId:
      request.ackId = String(reader.uint64());
      return true;
    case eventTags.metadata:
      readMetadataEntry(reader, request);
      return true;
    case eventTags.stream:
      request.stream = readStreamStart(reader, request.stream);
      return true;
    default:
      return false;
  }
}

function membershipField(reader: BinaryReader, request: RawRequest, tag: number): boolean {
  switch (tag) {
    case membershipTags.group:
      request.name = reader.string(true);
      return true;
    case membershipTags.ackId:
      request.ackId = String(reader.uint64());
      return true;
    default:
      return false;
  }
}

function sequenceAckField(reader: BinaryReader, request: RawRequest, tag: number): boolean {
  if (tag !== sequenceAckTags.sequenceId) return false;
  request.sequenceId = String(reader.uint64());
  return true;
}

function readMetadataEntry(reader: BinaryReader, request: RawRequest): void {
  const entry = { key: "", value: "" };
  readMessage(reader, entry, mapEntryField);
  request.metadata ??= new Map();
  request.metadata.set(entry.key, entry.value);
}

function mapEntryField(reader: BinaryReader, entry: { key: string; value: string }, tag: number): boolean {
  switch (tag) {
    case mapEntryTags.key:
      entry.key = reader.string(true);
      return true;
    case mapEntryTags.value:
      entry.value = reader.string(true);
      return true;
    default:
      return false;
  }
}
