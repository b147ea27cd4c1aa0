import { type AckId, parseAckId, parseEventName, parseGroupName } from "../../core/names.ts";
import type { Frame } from "../../core/outbound.ts";
import { checkMetadata, emptyText, type Metadata, type Payload } from "../../core/payload.ts";
import type { Decoded, DecodeFault } from "../codec.ts";
import { checkData } from "./check-data.ts";
import { decodeStreamData, decodeStreamEnd, decodeStreamStart } from "./decode-stream.ts";
import { type RawRequest, readRequest } from "./read.ts";

const maxTtlSeconds = 300;

const binaryRequired: DecodeFault = { kind: "fault", cause: "binaryRequired", text: null };

/**
 * Decodes a request of `protobuf.webpubsub.azure.v1` (client-protocols 9). Whatever 9.3 calls invalid is the fault
 * `invalidProtobufMessage`; what breaks only the rules of a stream is a command that says so (client-protocols 7.2).
 */
export function decodeProtobufV1(frame: Frame): Decoded {
  if (typeof frame === "string") return binaryRequired; // C-61
  const request = readRequest(frame);
  if (request === null) return invalid("The message is not an UpstreamMessage with a known member."); // C-87
  switch (request.kind) {
    case "sendToGroup":
      return decodeSendToGroup(request, frame);
    case "event":
      return decodeEvent(request, frame);
    case "joinGroup":
    case "leaveGroup": {
      const group = parseGroupName(request.name);
      return group === null ? invalidGroup() : { kind: request.kind, group, ackId: ackIdOf(request) };
    }
    case "sequenceAck": {
      const sequenceId = parseAckId(request.sequenceId);
      return sequenceId === null ? invalid("The sequence id is invalid.") : { kind: "sequenceAck", sequenceId };
    }
    case "ping":
      return { kind: "ping" };
    case "streamData":
      return decodeStreamData(request, frame);
    case "streamEnd":
      return decodeStreamEnd(request);
  }
}

function decodeSendToGroup(request: RawRequest, frame: Uint8Array): Decoded {
  const group = parseGroupName(request.name);
  if (group === null) return invalidGroup();
  const { noEcho, ttlSeconds, stream } = request;
  if (ttlSeconds > maxTtlSeconds) return invalid("The ttl is beyond 300 seconds."); // C-50
  const metadata = metadataOf(request);
  if (metadata === undefined) return invalidMetadata();
  const ackId = ackIdOf(request);
  if (stream !== null) {
    return decodeStreamStart(stream, request.data !== null, { group, metadata, noEcho, ttlSeconds, ackId });
  }
  const payload = payloadOf(request, frame);
  if (typeof payload === "string") return invalid(payload);
  return { kind: "sendToGroup", group, payload, metadata, noEcho, ttlSeconds, ackId };
}

function decodeEvent(request: RawRequest, frame: Uint8Array): Decoded {
  const event = parseEventName(request.name);
  if (event === null) return invalid("The event name is missing or invalid.");
  if (request.stream !== null) return invalid("An event cannot be a stream.");
  const metadata = metadataOf(request);
  if (metadata === undefined) return invalidMetadata();
  const payload = payloadOf(request, frame);
  if (typeof payload === "string") return invalid(payload);
  return { kind: "event", event, payload, metadata, ackId: ackIdOf(request) };
}

function invalid(text: string): DecodeFault {
  return { kind: "fault", cause: "invalidProtobufMessage", text };
}

function invalidGroup(): DecodeFault {
  return invalid("The group name is missing or invalid.");
}

function invalidMetadata(): DecodeFault {
  return invalid("The metadata are not within the limits.");
}

function ackIdOf({ ackId }: RawRequest): AckId | null {
  return ackId === null ? null : parseAckId(ackId);
}

/** null: none, undefined: invalid. */
function metadataOf({ metadata }: RawRequest): Metadata | null | undefined {
  if (metadata === null) return null;
  const entries = Array.from(metadata);
  return checkMetadata(entries) === null ? entries : undefined; // C-48
}

/** A string says what is wrong. */
function payloadOf({ data, metadata }: RawRequest, frame: Uint8Array): Payload | string {
  if (data === null) return metadata === null ? "The data are missing." : emptyText; // C-49, C-87
  return checkData(data, frame);
}
