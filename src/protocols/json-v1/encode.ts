import type { AckError, Encoder, OutboundControl, OutboundMessage } from "../../core/outbound.ts";
import type { Metadata, Payload } from "../../core/payload.ts";

/**
 * Writes the messages of `json.webpubsub.azure.v1` with the members and in the order of client-protocols 6.3. JSON payloads
 * go out as their source text (C-45); in other strings a lone surrogate is escaped, so that every frame is valid Unicode.
 */
export const jsonV1Encoder: Encoder = {
  message: (message) => `{${messageMembers(message)}`,
  stamp: null,
  control: encodeControl,
};

/**
 * The same for `json.reliable.webpubsub.azure.v1`: a data message is encoded without its opening brace, and each
 * recipient's number is put in front of the shared rest (C-71).
 */
export const jsonReliableV1Encoder: Encoder = {
  message: messageMembers,
  stamp: (members, sequenceId) => `{"sequenceId":${sequenceId},${members as string}`,
  control: encodeControl,
};

/** A data message from its first member to its closing brace. */
function messageMembers({ from, payload, metadata }: OutboundMessage): string {
  const head =
    from.kind === "server"
      ? '"type":"message","from":"server"'
      : `"type":"message","from":"group","group":${JSON.stringify(from.group)}${fromUserIdMember(from.fromUserId)}`;
  return `${head},${dataMembers(payload)}${metadata === null ? "" : metadataMember(metadata)}}`;
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

/** Written by hand because an object would reorder keys that look like numbers, and has a special `__proto__`. */
function metadataMember(metadata: Metadata): string {
  const members = metadata.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return `,"metadata":{${members.join(",")}}`;
}

function errorObject({ name, message }: AckError): string {
  return `{"name":"${name}","message":${JSON.stringify(message)}}`;
}
