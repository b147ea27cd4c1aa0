import type { Codec } from "../codec.ts";
import { decodeProtobufV1 } from "./decode.ts";
import { protobufReliableV1Encoder, protobufV1Encoder } from "./encode.ts";

/**
 * `protobuf.webpubsub.azure.v1`: one UpstreamMessage or DownstreamMessage per binary message, no state between two of
 * them. An invalid message ends the connection with 1007, a text one with 1003 (client-protocols 9.3).
 */
export const protobufV1Codec: Codec<null> = {
  subprotocol: "protobuf.webpubsub.azure.v1",
  encoder: protobufV1Encoder,
  answersFaults: true,
  initial() {
    return null;
  },
  decode(_state, frame) {
    return decodeProtobufV1(frame);
  },
};

/**
 * `protobuf.reliable.webpubsub.azure.v1`: the same messages; data messages carry numbers, and a dropped socket does not
 * end the connection (client-protocols 8).
 */
export const protobufReliableV1Codec: Codec<null> = {
  ...protobufV1Codec,
  subprotocol: "protobuf.reliable.webpubsub.azure.v1",
  encoder: protobufReliableV1Encoder,
};
