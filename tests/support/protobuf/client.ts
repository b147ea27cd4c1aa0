import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type DownstreamMessage,
  DownstreamMessageSchema,
  type MessageDataSchema,
  UpstreamMessageSchema,
} from "../../../portal/protobuf/webpubsub_pb.ts";
import { type ClientOptions, openClient, sendMarker } from "../clients.ts";
import type { Target } from "../server.ts";
import type { WebSocketClient } from "../web-socket.ts";

/** What an UpstreamMessage holds. */
export type Request = NonNullable<MessageInitShape<typeof UpstreamMessageSchema>["message"]>;

/** What a MessageData holds. */
export type Data = NonNullable<MessageInitShape<typeof MessageDataSchema>["data"]>;

/** The bytes of a request. */
export function encodeRequest(message: Request): Uint8Array {
  return toBinary(UpstreamMessageSchema, create(UpstreamMessageSchema, { message }));
}

/** What a frame of the service holds; throws when it is no DownstreamMessage. */
export function decodeMessage(frame: Uint8Array): DownstreamMessage["message"] {
  return fromBinary(DownstreamMessageSchema, frame).message;
}

/** A connected client of `protobuf.webpubsub.azure.v1`, with code generated from webpubsub.proto. */
export interface ProtobufClient {
  readonly socket: WebSocketClient;
  readonly hub: string;
  readonly connectionId: string;
  /** Empty unless the client is a reliable one. */
  readonly reconnectionToken: string;
  /** Sends bytes as they are, anything else as an UpstreamMessage. */
  send(message: Request | Uint8Array): void;
  /** The next frame, which must be binary, decoded. */
  next(): Promise<DownstreamMessage["message"]>;
  /** As for `JsonClient`. */
  nothingArrived(): Promise<void>;
}

/** Connects a protobuf client and reads its `connected` frame. */
export async function connectProtobuf(target: Target, options: ClientOptions): Promise<ProtobufClient> {
  const socket = await openClient(target, { subprotocols: ["protobuf.webpubsub.azure.v1"], ...options });
  const next: ProtobufClient["next"] = async () => decodeMessage(await socket.nextBinary());
  const first = await next();
  if (first.case !== "systemMessage" || first.value.message.case !== "connectedMessage")
    throw new Error(`the first frame is not connected but ${first.case}`);
  const { connectionId, reconnectionToken = "" } = first.value.message.value;
  return {
    socket,
    hub: options.hub,
    connectionId,
    reconnectionToken,
    send: (message) => socket.send(message instanceof Uint8Array ? message : encodeRequest(message)),
    next,
    nothingArrived: async () => {
      const marker = await sendMarker(target, `/api/hubs/${options.hub}/connections/${connectionId}/:send`);
      const message = await next();
      const data = message.case === "dataMessage" ? message.value.data?.data.value : undefined;
      if (data !== marker) throw new Error(`this arrived: ${message.case}`);
    },
  };
}
