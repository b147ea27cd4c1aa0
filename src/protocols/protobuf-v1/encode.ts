import { BinaryWriter } from "@bufbuild/protobuf/wire";
import type {
  AckError,
  Encoder,
  OutboundControl,
  OutboundMessage,
  StreamClosedError,
  StreamError,
  StreamPart,
} from "../../core/outbound.ts";
import type { Payload } from "../../core/payload.ts";
import {
  ackTags,
  connectedTags,
  dataMessageTags,
  dataTags,
  disconnectedTags,
  downstreamTags,
  errorTags,
  mapEntryTags,
  streamAckTags,
  streamClosedTags,
  streamErrorTags,
  streamInfoTags,
  streamNackTags,
  systemTags,
} from "./tags.ts";

/**
 * Writes the messages of `protobuf.webpubsub.azure.v1` (client-protocols 9.2), fields in the order of their numbers, empty
 * ones left out. JSON goes out as its source text in json_data, an Any as the bytes it came in (C-89). A lone surrogate
 * becomes U+FFFD, since strings are UTF-8. The protocol has no place for the publisher's user, and no message for group
 * states and answers to invocations.
 */
export const protobufV1Encoder: Encoder = {
  message: (message) => new BinaryWriter().uint32(downstreamTags.data).bytes(dataMessage(message)).finish(),
  groupState: () => null,
  stamp: null,
  control: encodeControl,
};

/**
 * The same for `protobuf.reliable.webpubsub.azure.v1`: a data message is encoded without its frame, and each recipient's
 * number is put behind the shared fields (C-71, C-90).
 */
export const protobufReliableV1Encoder: Encoder = {
  message: dataMessage,
  groupState: () => null,
  stamp: (fields, sequenceId) => stampMessage(fields as Uint8Array, sequenceId),
  control: encodeControl,
};

/** The fields of a DataMessage, without a number. */
function dataMessage({ from, payload, metadata, stream }: OutboundMessage): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writer.uint32(dataMessageTags.from).string(from.kind);
  if (from.kind === "group") writer.uint32(dataMessageTags.group).string(from.group);
  writer.uint32(dataMessageTags.data).fork();
  writeData(writer, payload);
  writer.join();
  for (const [key, value] of metadata ?? []) {
    writer.uint32(dataMessageTags.metadata).fork();
    writer.uint32(mapEntryTags.key).string(key).uint32(mapEntryTags.value).string(value).join();
  }
  if (stream !== null) writeStream(writer, stream);
  return writer.finish();
}

function writeStream(writer: BinaryWriter, { streamId, sequenceId, end }: StreamPart): void {
  writer.uint32(dataMessageTags.stream).fork();
  writer.uint32(streamInfoTags.streamId).string(streamId).uint32(streamInfoTags.sequenceId).uint64(sequenceId);
  if (end !== null) {
    writer.uint32(streamInfoTags.endOfStream).bool(true);
    if (end.error !== null) writeStreamError(writer, end.error);
  }
  writer.join();
}

function writeStreamError(writer: BinaryWriter, { name, message, userErrorCode }: StreamError): void {
  writer.uint32(streamInfoTags.error).fork().uint32(streamErrorTags.name).string(name);
  writeText(writer, streamErrorTags.message, message);
  writeText(writer, streamErrorTags.userErrorCode, userErrorCode);
  writer.join();
}

/** Written by hand: it runs once per recipient, and the writer would cost several times the copying. */
function stampMessage(fields: Uint8Array, sequenceId: number): Uint8Array {
  const length = fields.length + 1 + varintLength(sequenceId);
  const frame = new Uint8Array(1 + varintLength(length) + length);
  frame[0] = downstreamTags.data;
  let at = writeVarint(frame, 1, length);
  frame.set(fields, at);
  at += fields.length;
  frame[at] = dataMessageTags.sequenceId;
  writeVarint(frame, at + 1, sequenceId);
  return frame;
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) length += 1;
  return length;
}

function writeVarint(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) {
    bytes[at] = (rest % 128) + 128;
    at += 1;
  }
  bytes[at] = rest;
  return at + 1;
}

function encodeControl(control: OutboundControl): Uint8Array | null {
  const writer = new BinaryWriter();
  switch (control.kind) {
    case "connected":
      writer.uint32(downstreamTags.system).fork().uint32(systemTags.connected).fork();
      writer.uint32(connectedTags.connectionId).string(control.connectionId);
      if (control.userId !== null) writer.uint32(connectedTags.userId).string(control.userId);
      if (control.reconnectionToken !== null) {
        writer.uint32(connectedTags.reconnectionToken).string(control.reconnectionToken);
      }
      return writer.join().join().finish();
    case "disconnected":
      writer.uint32(downstreamTags.system).fork().uint32(systemTags.disconnected).fork();
      writeText(writer, disconnectedTags.reason, control.message);
      return writer.join().join().finish();
    case "ack":
      writer.uint32(downstreamTags.ack).fork();
      if (control.ackId !== "0") writer.uint32(ackTags.ackId).uint64(control.ackId);
      if (control.error === null) writer.uint32(ackTags.success).bool(true);
      else writeError(writer, ackTags.error, control.error);
      return writer.join().finish();
    case "pong":
      return writer.uint32(downstreamTags.pong).fork().join().finish();
    case "streamAck":
      writer.uint32(downstreamTags.streamAck).fork();
      writeText(writer, streamAckTags.streamId, control.streamId);
      return writer.uint32(streamAckTags.expected).uint64(control.expected).join().finish();
    case "streamNack":
      writer.uint32(downstreamTags.streamNack).fork();
      writeText(writer, streamNackTags.streamId, control.streamId);
      writer.uint32(streamNackTags.name).string(control.name);
      writeText(writer, streamNackTags.message, control.message);
      return writer.uint32(streamNackTags.expected).uint64(control.expected).join().finish();
    case "streamClosed":
      writer.uint32(downstreamTags.streamClosed).fork();
      writeText(writer, streamClosedTags.streamId, control.streamId);
      if (control.error !== null) writeError(writer, streamClosedTags.error, control.error);
      return writer.join().finish();
    case "invokeResponse":
      return null; // No invocation is published (client-protocols 9.2), so none can be asked for.
  }
}

/** The member is written even when it is empty: which one it is says the kind (client-protocols 10.2). */
function writeData(writer: BinaryWriter, payload: Payload): void {
  switch (payload.kind) {
    case "text":
      writer.uint32(dataTags.text).string(payload.text);
      break;
    case "json":
      writer.uint32(dataTags.json).string(payload.source);
      break;
    case "binary":
      writer.uint32(dataTags.binary).bytes(payload.bytes);
      break;
    case "protobuf":
      writer.uint32(dataTags.protobuf).bytes(payload.any);
      break;
  }
}

/** A text; nothing when it is empty, which is the default value. */
function writeText(writer: BinaryWriter, tag: number, text: string | null): void {
  if (text !== null && text !== "") writer.uint32(tag).string(text);
}

function writeError(writer: BinaryWriter, tag: number, { name, message }: AckError | StreamClosedError): void {
  writer.uint32(tag).fork().uint32(errorTags.name).string(name);
  writeText(writer, errorTags.message, message);
  writer.join();
}
