import { textFrame } from "../../load/client.ts";
import type { Publish } from "../load/dialect.ts";
import { code, type KindByte } from "./kind-scanner.ts";

/** Position of the first letter of the type in `{"type":"…`. */
const offset = '{"type":"'.length;
const message = code("m");
const answers: readonly number[] = [code("a"), code("s")];

/** Tells `message` from `ack` and `system` in the JSON subprotocol. */
export const jsonKind: KindByte = {
  offset,
  kindOf(byte) {
    if (byte === message) return "deliveries";
    if (answers.includes(byte)) return "answers";
    throw new Error("a message of an unknown type");
  },
};

/** A `sendToGroup` frame. */
export function sendToGroup({ group, text, id, isAcknowledged }: Publish): Buffer {
  const ack = isAcknowledged ? { ackId: id } : {};
  return textFrame({ type: "sendToGroup", group, ...ack, dataType: "text", data: text });
}
