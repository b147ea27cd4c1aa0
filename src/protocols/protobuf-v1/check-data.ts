import type { Payload } from "../../core/payload.ts";
import { isProtobufAny } from "../../core/protobuf-any.ts";
import { isJson } from "../shared/json-scanner.ts";

/** Up to this length a frame may live as long as a part of it. Ours: small beside what a queued message costs anyway. */
const smallFrame = 1024;

/**
 * Returns data as a command may hold them, or what is wrong with them. JSON must be JSON, since clients of other protocols
 * get it inside of theirs.
 */
export function checkData(data: Payload, frame: Uint8Array): Payload | string {
  switch (data.kind) {
    case "text":
      return data;
    case "json":
      return isJson(data.source) ? data : "The JSON data are not JSON.";
    case "binary":
      return { kind: "binary", bytes: detach(data.bytes, frame) };
    case "protobuf":
      if (!isProtobufAny(data.any)) return "The protobuf data are not a google.protobuf.Any.";
      return { kind: "protobuf", any: detach(data.any, frame) };
  }
}

/** A part of a frame keeps the whole frame alive: a queued message would hold 1 MiB around a byte of data. */
function detach(part: Uint8Array, frame: Uint8Array): Uint8Array {
  return frame.length > smallFrame && part.length * 2 < frame.length ? part.slice() : part;
}
