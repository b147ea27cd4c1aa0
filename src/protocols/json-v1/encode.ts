import type { GroupStateItem } from "../../core/group-state.ts";
import type {
  Encoder,
  GroupStateMessage,
  InvokeOutcome,
  OutboundControl,
  OutboundMessage,
  StreamError,
  StreamPart,
} from "../../core/outbound.ts";
import type { Payload } from "../../core/payload.ts";

/**
 * Writes the messages of `json.webpubsub.azure.v1` with the members and in the order of client-protocols 6.3 and 7. JSON payloads
 * go out as their source text (C-45); in other strings a lone surrogate is escaped, so that every frame is valid Unicode.
 */
export const jsonV1Encoder: Encoder = {
  message: (message) => `{${messageMembers(message)}`,
  groupState: (message) => `{${groupStateMembers(message)}`,
  stamp: null,
  control: encodeControl,
};

/**
 * The same for `json.reliable.webpubsub.azure.v1`: a data message is encoded without its opening brace, and each
 * recipient's number is put in front of the shared rest (C-71).
 */
export const jsonReliableV1Encoder: Encoder = {
  message: messageMembers,
  groupState: groupStateMembers,
  stamp: (members, sequenceId) => `{"sequenceId":${sequenceId},${members as string}`,
  control: encodeControl,
};

/** A data message from its first member to its closing brace. */
function messageMembers({ from, payload, metadata, stream }: OutboundMessage): string {
  const head =
    from.kind === "server"
      ? '"type":"message","from":"server"'
      : `"type":"message","from":"group","group":${JSON.stringify(from.group)}${fromUserIdMember(from.fromUserId)}`;
  const tail = `${metadata === null ? "" : `,"metadata":${textObject(metadata)}`}${stream === null ? "" : streamMember(stream)}`;
  return `${head},${dataMembers(payload)}${tail}}`;
}

/** Group states from their first member to their closing brace. */
function groupStateMembers({ kind, group, items }: GroupStateMessage): string {
  const type = kind === "snapshot" ? "groupStateSnapshot" : "groupStateUpdate";
  return `"type":"${type}","group":${JSON.stringify(group)},"items":[${items.map(groupStateItem).join(",")}]}`;
}

function groupStateItem({ connectionId, userId, state, updatedAt }: GroupStateItem): string {
  const user = userId === null ? "" : `,"userId":${JSON.stringify(userId)}`;
  const members = state === null ? "" : `,"state":${textObject(state)}`;
  return `{"connectionId":${JSON.stringify(connectionId)}${user}${members},"updatedAt":${updatedAt}}`;
}

function encodeControl(control: OutboundControl): string {
  switch (control.kind) {
    case "connected": {
      const { userId, connectionId, reconnectionToken } = control;
      const token = reconnectionToken === null ? "" : `,"reconnectionToken":${JSON.stringify(reconnectionToken)}`;
      return `{"type":"system","event":"connected","userId":${JSON.stringify(userId)},"connectionId":${JSON.stringify(connectionId)}${token}}`;
    }
    case "disconnected":
      return `{"type":"system","event":"disconnected","message":${JSON.stringify(control.message)}}`;
    case "ack":
      return control.error === null
        ? `{"type":"ack","ackId":${control.ackId},"success":true}`
        : `{"type":"ack","ackId":${control.ackId},"success":false,"error":${errorObject(control.error)}}`;
    case "pong":
      return '{"type":"pong"}';
    case "invokeResponse":
      return `{"type":"invokeResponse","invocationId":${JSON.stringify(control.invocationId)},${outcomeMembers(control.outcome)}}`;
    case "streamAck":
      return `{"type":"streamAck","streamId":${JSON.stringify(control.streamId)},"expectedSequenceId":${control.expected}}`;
    case "streamNack": {
      const { streamId, expected, name, message } = control;
      return `{"type":"streamNack","streamId":${JSON.stringify(streamId)},"expectedSequenceId":${expected},"name":"${name}","message":${JSON.stringify(message)}}`;
    }
    case "streamClosed": {
      const error = control.error === null ? "" : `,"error":${errorObject(control.error)}`;
      return `{"type":"streamClosed","streamId":${JSON.stringify(control.streamId)}${error}}`;
    }
  }
}

/** C-37: null for a client without user id, left out when the publisher was REST. */
function fromUserIdMember(userId: string | null | undefined): string {
  return userId === undefined ? "" : `,"fromUserId":${JSON.stringify(userId)}`;
}

function dataMembers(payload: Payload): string {
  switch (payload.kind) {
    case "text":
      return `"dataType":"text","data":${JSON.stringify(payload.text)}`;
    case "json":
      return `"dataType":"json","data":${payload.source}`;
    case "binary":
      return `"dataType":"binary","data":"${payload.bytes.toBase64()}"`;
    case "protobuf":
      return `"dataType":"protobuf","data":"${payload.any.toBase64()}"`;
  }
}

/** The SDK takes a fragment only with a numeric `streamSequenceId`, and an end only with data (client-protocols 7.2). */
function streamMember({ streamId, sequenceId, end }: StreamPart): string {
  const error = end === null || end.error === null ? "" : `,"error":${streamErrorObject(end.error)}`;
  const last = end === null ? "" : `,"endOfStream":true${error}`;
  return `,"stream":{"streamId":${JSON.stringify(streamId)},"streamSequenceId":${sequenceId}${last}}`;
}

function streamErrorObject({ name, message, userErrorCode }: StreamError): string {
  const text = message === null ? "" : `,"message":${JSON.stringify(message)}`;
  const code = userErrorCode === null ? "" : `,"userErrorCode":${JSON.stringify(userErrorCode)}`;
  return `{"name":"${name}"${text}${code}}`;
}

/** A reply without content leaves both members of the payload out: the SDK drops a `dataType` it does not know. */
function outcomeMembers(outcome: InvokeOutcome): string {
  if (outcome.kind === "failed") return `"success":false,"error":${errorObject(outcome)}`;
  return outcome.reply === null ? '"success":true' : `"success":true,${dataMembers(outcome.reply)}`;
}

/** Written by hand because an object would reorder keys that look like numbers, and has a special `__proto__`. */
function textObject(entries: readonly (readonly [key: string, value: string])[]): string {
  return `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
}

/** `name` comes from a fixed set. */
function errorObject({ name, message }: { readonly name: string; readonly message: string }): string {
  return `{"name":"${name}","message":${JSON.stringify(message)}}`;
}
