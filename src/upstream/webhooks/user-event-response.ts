import { checkMetadata, emptyText, type Metadata, type Payload } from "../../core/payload.ts";
import type { UserEventOutcome } from "../../core/ports.ts";
import { isProtobufAny } from "../../core/protobuf-any.ts";
import type { HttpReply } from "./http-client.ts";

type Handled = UserEventOutcome & { readonly kind: "handled" };

const silent: Handled = { kind: "handled", reply: null };

/**
 * Reads a 2xx reply to a user event. A string says why it cannot be used; the event then counts as failed.
 * @spec E-56 E-57 E-58 E-59 E-61
 */
export function readUserEventResponse(reply: HttpReply): Handled | string {
  const metadata = readMetadata(reply.headers.metadata);
  if (metadata !== null && checkMetadata(metadata) !== null) return "the metadata is over its limits";
  if (reply.body.length === 0) {
    return metadata === null ? silent : { kind: "handled", reply: { payload: emptyText, metadata } };
  }
  const payload = readPayload(reply.body, reply.headers.contentType);
  return typeof payload === "string" ? payload : { kind: "handled", reply: { payload, metadata } };
}

function readPayload(body: Uint8Array, contentType: string | null): Payload | string {
  const mediaType = (contentType?.split(";", 1)[0] ?? "").trim().toLowerCase();
  switch (mediaType) {
    case "":
    case "application/octet-stream":
      return { kind: "binary", bytes: body };
    case "text/plain":
      return { kind: "text", text: new TextDecoder().decode(body) }; // invalid UTF-8 is replaced
    case "application/json": {
      const source = new TextDecoder().decode(body);
      return isJson(source) ? { kind: "json", source } : "the body is not valid JSON";
    }
    case "application/x-protobuf":
      return isProtobufAny(body) ? { kind: "protobuf", any: body } : "the body is not a protobuf Any";
    default:
      return "the content type is not supported";
  }
}

/** Checks only: the value goes on as the text it is (C-45). */
function isJson(source: string): boolean {
  try {
    JSON.parse(source);
    return true;
  } catch {
    return false;
  }
}

/** Null for none. Of repeated headers the last counts, of a value only what follows its last comma (E-61). */
function readMetadata(headers: HttpReply["headers"]["metadata"]): Metadata | null {
  if (headers.length === 0) return null;
  const byKey = new Map<string, string>();
  for (const [key, value] of headers) {
    if (key !== "") byKey.set(key, value.slice(value.lastIndexOf(",") + 1).trim());
  }
  return byKey.size === 0 ? null : [...byKey];
}
