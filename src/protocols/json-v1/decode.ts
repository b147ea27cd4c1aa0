import type { Command } from "../../core/commands.ts";
import { parseAckId } from "../../core/names.ts";
import type { Frame } from "../../core/outbound.ts";
import type { Decoded, DecodeFault } from "../codec.ts";
import { decodeSetGroupState } from "./decode-group-state.ts";
import { decodeCancelInvocation, decodeInvoke } from "./decode-invoke.ts";
import { decodeStreamData, decodeStreamEnd, decodeStreamStart } from "./decode-stream.ts";
import { type Members, readMembers } from "./members.ts";
import {
  copy,
  invalid,
  invalidAckId,
  invalidGroup,
  invalidMetadata,
  isAbsent,
  readAckId,
  readEvent,
  readGroup,
  readMetadata,
  readNoEcho,
  readPayload,
  readString,
  readTtl,
} from "./read.ts";

const textRequired: DecodeFault = { kind: "fault", cause: "textRequired", text: null };

/**
 * Decodes a request of `json.webpubsub.azure.v1` (client-protocols 6 and 7). Unknown members are ignored, the last of equal
 * ones counts. Anything that 6.9 calls invalid is the fault `invalidJsonMessage`.
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
      return decodeGroupRequest(source, "joinGroup");
    case "leavegroup":
      return decodeGroupRequest(source, "leaveGroup");
    case "ping":
      return { kind: "ping" };
    case "sequenceack":
      return decodeSequenceAck(source);
    case "streamdata":
      return decodeStreamData(source);
    case "streamend":
      return decodeStreamEnd(source);
    case "invoke":
      return decodeInvoke(source);
    case "cancelinvocation":
      return decodeCancelInvocation(source);
    case "invokeresponse":
      return { kind: "ignored" }; // The service invokes no client (client-protocols 7.1).
    case "setgroupstate":
      return decodeSetGroupState(source);
    case "subscribegroupstate":
      return decodeGroupRequest(source, "subscribeGroupState");
    case "unsubscribegroupstate":
      return decodeGroupRequest(source, "unsubscribeGroupState");
    default:
      return invalid("The type is missing or unknown.");
  }
}

type GroupRequest = Extract<
  Command,
  { readonly kind: "joinGroup" | "leaveGroup" | "subscribeGroupState" | "unsubscribeGroupState" }
>;

function decodeSendToGroup(source: Members): Decoded {
  const group = readGroup(source.group);
  if (group === null) return invalidGroup();
  const ackId = readAckId(source.ackId);
  if (ackId === undefined) return invalidAckId();
  const noEcho = readNoEcho(source.noEcho);
  if (noEcho === null) return invalid("noEcho is not a boolean.");
  const ttlSeconds = readTtl(source.ttlSeconds);
  if (ttlSeconds === null) return invalid("ttlSeconds is not an integer of 0 to 300.");
  const metadata = readMetadata(source.metadata);
  if (metadata === undefined) return invalidMetadata();
  if (!isAbsent(source.stream)) {
    const hasPayload = !isAbsent(source.data) || !isAbsent(source.dataType);
    return decodeStreamStart(source.stream, { group, metadata, noEcho, ttlSeconds, ackId }, hasPayload);
  }
  const payload = readPayload(source);
  if (typeof payload === "string") return invalid(payload);
  return { kind: "sendToGroup", group, payload, metadata, noEcho, ttlSeconds, ackId };
}

function decodeEvent(source: Members): Decoded {
  const event = readEvent(source.event);
  if (event === null) return invalid("The event name is missing or invalid.");
  const ackId = readAckId(source.ackId);
  if (ackId === undefined) return invalidAckId();
  if (!isAbsent(source.stream)) return invalid("An event cannot open a stream.");
  const metadata = readMetadata(source.metadata);
  if (metadata === undefined) return invalidMetadata();
  const payload = readPayload(source);
  if (typeof payload === "string") return invalid(payload);
  return { kind: "event", event, payload, metadata, ackId };
}

/** The requests that name a group and nothing else. */
function decodeGroupRequest(source: Members, kind: GroupRequest["kind"]): Decoded {
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
