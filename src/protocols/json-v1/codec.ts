import type { Codec } from "../codec.ts";
import { decodeJsonV1 } from "./decode.ts";
import { jsonReliableV1Encoder, jsonV1Encoder } from "./encode.ts";

/**
 * `json.webpubsub.azure.v1`: one JSON object per text message, no state between two of them. An invalid message ends the
 * connection with 1007, a binary one with 1003 (client-protocols 6.9). A frame it writes is at most about six times as
 * long as the text it carries (control characters), for binary data four thirds.
 */
export const jsonV1Codec: Codec<null> = {
  subprotocol: "json.webpubsub.azure.v1",
  encoder: jsonV1Encoder,
  answersFaults: true,
  initial() {
    return null;
  },
  decode(_state, frame) {
    return decodeJsonV1(frame);
  },
};

/**
 * `json.reliable.webpubsub.azure.v1`: the same messages; data messages carry numbers, and a dropped socket does not end
 * the connection (client-protocols 8).
 */
export const jsonReliableV1Codec: Codec<null> = {
  ...jsonV1Codec,
  subprotocol: "json.reliable.webpubsub.azure.v1",
  encoder: jsonReliableV1Encoder,
};
