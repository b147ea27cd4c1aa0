import { defaultStreamIdleTimeoutMs, type StreamProblem, type StreamStart } from "../../core/commands.ts";
import { maxClientIdLength, parseAckId } from "../../core/names.ts";
import type { Decoded } from "../codec.ts";
import type { Members } from "./members.ts";
import { fillMembers, invalid, isAbsent, readPayload, readString } from "./read.ts";

/** What the `sendToGroup` around a stream says of all its messages. */
type Opening = Omit<StreamStart, "kind" | "streamId" | "idleTimeoutMs">;

/**
 * Decodes the `stream` member of a `sendToGroup` (client-protocols 7.2). One without a readable id is an invalid message;
 * whatever else is wrong refuses the stream alone, and so does a payload beside it.
 */
export function decodeStreamStart(stream: string, opening: Opening, hasPayload: boolean): Decoded {
  const source = { streamId: "", idleTimeoutMs: "" };
  if (!fillMembers(stream, source)) return invalid("stream is not an object.");
  const streamId = readString(source.streamId);
  if (streamId === null) return invalidStreamId();
  const refuse = (message: string): StreamProblem => {
    return { kind: "streamProblem", streamId, opens: true, message, ackId: opening.ackId };
  };
  if (streamId === "") return refuse("The streamId is empty.");
  if (streamId.length > maxClientIdLength)
    return refuse(`The streamId is longer than ${maxClientIdLength} characters.`);
  if (hasPayload) return refuse("The message that opens a stream has no data.");
  const idleTimeoutMs = readIdleTimeout(source.idleTimeoutMs);
  if (idleTimeoutMs === null) return refuse("idleTimeoutMs is not an integer above 0.");
  return { kind: "streamStart", streamId, ...opening, idleTimeoutMs };
}

/** Decodes `streamData`: a fragment, or a keep-alive when it has none of the three members of one (client-protocols 7.2). */
export function decodeStreamData({ data, dataType, rare }: Members): Decoded {
  const streamId = readString(rare.streamId);
  if (streamId === null) return invalidStreamId();
  const hasNone = isAbsent(rare.streamSequenceId) && isAbsent(dataType) && isAbsent(data);
  if (hasNone) return { kind: "streamKeepAlive", streamId };
  if (isAbsent(rare.streamSequenceId) || isAbsent(dataType) || isAbsent(data))
    return broken(streamId, "streamSequenceId, dataType and data belong together.");
  const sequenceId = readSequenceId(rare.streamSequenceId);
  if (sequenceId === null) return broken(streamId, "streamSequenceId is not an integer above 0.");
  const payload = readPayload({ data, dataType, metadata: "" });
  return typeof payload === "string"
    ? broken(streamId, payload)
    : { kind: "streamData", streamId, sequenceId, payload };
}

/** Decodes `streamEnd`; the client says why it gave up, but names no error (client-protocols 7.2). */
export function decodeStreamEnd({ rare }: Members): Decoded {
  const streamId = readString(rare.streamId);
  if (streamId === null) return invalidStreamId();
  if (isAbsent(rare.error)) return { kind: "streamEnd", streamId, error: null };
  const error = { name: "", message: "", userErrorCode: "" };
  if (!fillMembers(rare.error, error)) return broken(streamId, "error is not an object.");
  if (!isAbsent(error.name)) return broken(streamId, "An error of a client has no name.");
  const message = readText(error.message);
  const userErrorCode = readText(error.userErrorCode);
  if (message === undefined || userErrorCode === undefined)
    return broken(streamId, "message and userErrorCode of an error are strings.");
  return { kind: "streamEnd", streamId, error: { message, userErrorCode } };
}

function invalidStreamId(): Decoded {
  return invalid("The streamId is missing or not a string.");
}

/** What closes a stream that is open. */
function broken(streamId: string, message: string): StreamProblem {
  return { kind: "streamProblem", streamId, opens: false, message, ackId: null };
}

/** null: invalid. Bounded to what a number holds exactly. */
function readIdleTimeout(source: string): number | null {
  if (isAbsent(source)) return defaultStreamIdleTimeoutMs;
  return /^[1-9][0-9]*$/.test(source) ? Math.min(Number(source), Number.MAX_SAFE_INTEGER) : null;
}

/** null: not an integer of 1 to 2^64-1. */
function readSequenceId(source: string): number | null {
  const id = parseAckId(source);
  return id === null || id === "0" ? null : Number(id);
}

/** null: absent, undefined: not a string. */
function readText(source: string): string | null | undefined {
  return isAbsent(source) ? null : (readString(source) ?? undefined);
}
