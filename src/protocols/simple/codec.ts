import type { Command } from "../../core/commands.ts";
import type { EventName } from "../../core/names.ts";
import type { Encoder, Frame, OutboundControl, OutboundMessage } from "../../core/outbound.ts";
import type { Payload } from "../../core/payload.ts";
import type { Codec } from "../codec.ts";
import type { SimpleMode } from "./mode.ts";

/** The event that every frame of a client in sendEvent mode is (C-64); a constant that satisfies `parseEventName`. */
const messageEvent = "message" as EventName;

const simpleEncoder: Encoder = {
  stamp: null,
  message({ payload, stream }: OutboundMessage): Frame | null {
    if (stream !== null && stream.end !== null) return null; // An end would look like an empty message.
    switch (payload.kind) {
      case "text":
        return payload.text;
      case "json":
        return payload.source;
      case "binary":
        return payload.bytes;
      case "protobuf":
        return payload.any;
    }
  },
  groupState(): null {
    return null;
  },
  control(_control: OutboundControl): null {
    return null;
  },
};

/**
 * Simple clients: bare payloads without any envelope. Every frame is a valid command, and nothing but messages is ever
 * sent: no sender, no metadata, no acks, no connected (C-26). The messages of a stream are ordinary ones, its end is not
 * shown (client-protocols 7.2).
 */
export const simpleCodec: Codec<SimpleMode> = {
  subprotocol: null,
  encoder: simpleEncoder,
  answersFaults: false,
  initial(mode) {
    return mode;
  },
  decode(mode, frame): Command {
    const payload: Payload =
      typeof frame === "string" ? { kind: "text", text: frame } : { kind: "binary", bytes: frame };
    if (mode.kind === "sendEvent") return { kind: "event", event: messageEvent, payload, metadata: null, ackId: null };
    const { group, noEcho } = mode;
    return { kind: "sendToGroup", group, payload, metadata: null, noEcho, ttlSeconds: 0, ackId: null };
  },
};
