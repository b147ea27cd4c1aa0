import { create, fromBinary, fromJsonString, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import {
  DownstreamMessageSchema,
  type MessageData,
  MessageDataSchema,
  UpstreamMessageSchema,
} from "../../protobuf/webpubsub_pb.ts";

/** What a client of the playground asks the service for. */
export type Request =
  | { readonly kind: "joinGroup" | "leaveGroup"; readonly group: string }
  | { readonly kind: "sendToGroup"; readonly group: string; readonly content: Content; readonly noEcho: boolean }
  | { readonly kind: "event"; readonly event: string; readonly content: Content }
  | { readonly kind: "sequenceAck"; readonly sequenceId: number };

export interface Content {
  readonly dataType: "text" | "json";
  readonly text: string;
}

/** What matters of a frame for the client itself; everything else is only shown. */
export interface Notice {
  readonly sequenceId?: number;
  readonly connected?: { readonly connectionId: string; readonly reconnectionToken: string | null };
}

export interface Received {
  /** The frame as a person reads it. */
  readonly text: string;
  readonly notice: Notice;
}

/** One sub-protocol, as far as a client needs it. */
export interface Protocol {
  readonly title: string;
  /** Null: a simple client. */
  readonly name: string | null;
  readonly isReliable: boolean;
  /** Whether it knows groups and events; a simple client only sends messages. */
  readonly hasRequests: boolean;
  /** The frame to send, and how it is shown. */
  write(request: Request, ackId: number): { readonly frame: string | Uint8Array<ArrayBuffer>; readonly text: string };
  read(frame: string | ArrayBuffer): Received;
}

const simple: Protocol = {
  title: "Simple WebSocket",
  name: null,
  isReliable: false,
  hasRequests: false,
  write: (request) => {
    const text = "content" in request ? request.content.text : "";
    return { frame: text, text };
  },
  read: (frame) => ({ text: typeof frame === "string" ? frame : hexOf(frame), notice: {} }),
};

/** Every protocol the playground speaks. */
export const protocols: readonly Protocol[] = [
  json("JSON", "json.webpubsub.azure.v1"),
  json("JSON, reliable", "json.reliable.webpubsub.azure.v1"),
  protobuf("Protobuf", "protobuf.webpubsub.azure.v1"),
  protobuf("Protobuf, reliable", "protobuf.reliable.webpubsub.azure.v1"),
  simple,
];

function json(title: string, name: string): Protocol {
  return {
    title,
    name,
    isReliable: name.includes("reliable"),
    hasRequests: true,
    write(request, ackId) {
      const text = JSON.stringify(jsonRequest(request, ackId));
      return { frame: text, text };
    },
    read(frame) {
      if (typeof frame !== "string") return { text: hexOf(frame), notice: {} };
      return { text: frame, notice: noticeOf(parsed(frame)) };
    },
  };
}

function jsonRequest(request: Request, ackId: number): object {
  switch (request.kind) {
    case "joinGroup":
    case "leaveGroup":
      return { type: request.kind, group: request.group, ackId };
    case "sendToGroup": {
      const { group, content, noEcho } = request;
      return { type: "sendToGroup", group, ...jsonData(content), ...(noEcho && { noEcho }), ackId };
    }
    case "event":
      return { type: "event", event: request.event, ...jsonData(request.content), ackId };
    case "sequenceAck":
      return { type: "sequenceAck", sequenceId: request.sequenceId };
  }
}

const jsonData = ({ dataType, text }: Content): object => ({
  dataType,
  data: dataType === "json" ? (JSON.parse(text) as unknown) : text,
});

function protobuf(title: string, name: string): Protocol {
  return {
    title,
    name,
    isReliable: name.includes("reliable"),
    hasRequests: true,
    write(request, ackId) {
      const message = create(UpstreamMessageSchema, { message: protobufRequest(request, BigInt(ackId)) });
      const frame = toBinary(UpstreamMessageSchema, message);
      return { frame, text: shown(toJson(UpstreamMessageSchema, message), frame.length) };
    },
    read(frame) {
      if (typeof frame === "string") return { text: frame, notice: {} };
      const message = fromBinary(DownstreamMessageSchema, new Uint8Array(frame));
      const { value } = message.message;
      const text = shown(toJson(DownstreamMessageSchema, message), frame.byteLength);
      switch (value?.$typeName) {
        case "azure.webpubsub.DataMessage": {
          const { sequenceId } = value;
          return { text, notice: sequenceId === undefined ? {} : { sequenceId: Number(sequenceId) } };
        }
        case "azure.webpubsub.SystemMessage": {
          if (value.message.case !== "connectedMessage") return { text, notice: {} };
          const { connectionId, reconnectionToken = null } = value.message.value;
          return { text, notice: { connected: { connectionId, reconnectionToken } } };
        }
        default:
          return { text, notice: {} };
      }
    },
  };
}

type ProtobufRequest = NonNullable<Parameters<typeof create<typeof UpstreamMessageSchema>>[1]>["message"];

function protobufRequest(request: Request, ackId: bigint): NonNullable<ProtobufRequest> {
  switch (request.kind) {
    case "joinGroup":
      return { case: "joinGroupMessage", value: { group: request.group, ackId } };
    case "leaveGroup":
      return { case: "leaveGroupMessage", value: { group: request.group, ackId } };
    case "sendToGroup": {
      const { group, content, noEcho } = request;
      const value = { group, ackId, data: protobufData(content), ...(noEcho && { noEcho }) };
      return { case: "sendToGroupMessage", value };
    }
    case "event":
      return { case: "eventMessage", value: { event: request.event, ackId, data: protobufData(request.content) } };
    case "sequenceAck":
      return { case: "sequenceAckMessage", value: { sequenceId: BigInt(request.sequenceId) } };
  }
}

function protobufData({ dataType, text }: Content): MessageData {
  // Parsed only to refuse here what would end the connection.
  if (dataType === "json") JSON.parse(text);
  const data = dataType === "json" ? { jsonData: text } : { textData: text };
  return fromJsonString(MessageDataSchema, JSON.stringify(data));
}

/** Protobuf has no text of its own: its JSON mapping, and how many bytes it took. */
const shown = (message: JsonValue, bytes: number): string => `${JSON.stringify(message)}  (${bytes} bytes)`;

function noticeOf(message: Readonly<Record<string, unknown>>): Notice {
  const { sequenceId, connectionId, reconnectionToken } = message;
  if (typeof sequenceId === "number") return { sequenceId };
  if (message["event"] !== "connected" || typeof connectionId !== "string") return {};
  const token = typeof reconnectionToken === "string" ? reconnectionToken : null;
  return { connected: { connectionId, reconnectionToken: token } };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

const maxHexBytes = 256;

function hexOf(frame: ArrayBuffer): string {
  const bytes = new Uint8Array(frame);
  const hex = Array.from(bytes.slice(0, maxHexBytes), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `${hex}${bytes.length > maxHexBytes ? " …" : ""}  (${bytes.length} bytes)`;
}
