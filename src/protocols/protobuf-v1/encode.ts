import { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { AckError, Encoder, OutboundControl, OutboundMessage } from "../../core/outbound.ts";
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
  systemTags,
} from "./tags.ts";

/**
 * Writes the messages of `protobuf.webpubsub.azure.v1` (client-protocols 9.2), fields in the order of their numbers, empty
 * ones left out. JSON goes out as its source text in json_data, an Any as the bytes it came in (C-89). A lone surrogate
 * becomes U+FFFD, since strings are UTF-8. The protocol has no place for the publisher's user.
 */
export const protobufV1Encoder: Encoder = {
  message: (message) => new BinaryWriter().uint32(downstreamTags.data).bytes(dataMessage(message)).finish(),
  stamp: null,
  control: encodeControl,
};

/**
 * The same for `protobuf.reliable.webpubsub.azure.v1`: a data message is encoded without its frame, and each recipient's
 * number is put behind the shared fields (C-71, C-90).
 */
export const protobufReliableV1Encoder: Encoder = {
  message: dataMessage,
  stamp: (fields, sequenceId) => stampMessage(fields as Uint8Array, sequenceId),
  control: encodeControl,
};

/** The fields of a DataMessage, without a number. */
function dataMessage({ from, payload, metadata }: OutboundMessage): Uint8Array<ArrayBuffer> {
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
  return writer.finish();
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

function encodeControl(control: OutboundControl): Uint8Array {
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
      if (control.message !== "") writer.uint32(disconnectedTags.reason).string(control.message);
      return writer.join().join().finish();
    case "ack":
      writer.uint32(downstreamTags.ack).fork();
      if (control.ackId !== "0") writer.uint32(ackTags.ackId).uint64(control.ackId);
      if (control.error === null) writer.uint32(ackTags.success).bool(true);
      else writeError(writer, control.error);
      return writer.join().finish();
    case "pong":
      return writer.uint32(downstreamTags.pong).fork().join().finish();
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

function writeError(writer: BinaryWriter, { name, message }: AckError): void {
  writer.uint32(ackTags.error).fork().uint32(errorTags.name).string(name);
  if (message !== "") writer.uint32(errorTags.message).string(message);
  writer.join();
}
