import { expect } from "bun:test";
import type { JsonClient, JsonFrame } from "./clients.ts";

/** Opens a stream to group `g`, with further members of `stream`. */
export function streamStart(streamId: string, more: JsonFrame = {}): JsonFrame {
  return { type: "sendToGroup", group: "g", stream: { streamId, ...more } };
}

/** One fragment of text. */
export function fragment(streamId: string, streamSequenceId: number, data: string): JsonFrame {
  return { type: "streamData", streamId, streamSequenceId, dataType: "text", data };
}

export function streamKeepAlive(streamId: string): JsonFrame {
  return { type: "streamData", streamId };
}

export function streamEnd(streamId: string, error?: JsonFrame): JsonFrame {
  return { type: "streamEnd", streamId, ...(error === undefined ? {} : { error }) };
}

/** All fragments before this one are accepted. */
export function streamAck(streamId: string, expectedSequenceId: number): JsonFrame {
  return { type: "streamAck", streamId, expectedSequenceId };
}

/** A fragment was refused, the stream goes on with the expected one. */
export function streamNack(streamId: string, expectedSequenceId: number): JsonFrame {
  const message = expect.any(String) as unknown;
  return { type: "streamNack", streamId, expectedSequenceId, name: "InvalidSequenceId", message };
}

/** The end of a stream for its publisher; without `name` it ended well. */
export function streamClosed(streamId: string, name?: string): JsonFrame {
  const error = { name, message: expect.any(String) as unknown };
  return { type: "streamClosed", streamId, ...(name === undefined ? {} : { error }) };
}

interface Origin {
  readonly streamId: string;
  /** Default null. */
  readonly fromUserId?: string | null;
}

/** A fragment of text as a JSON client in group `g` receives it. */
export function receivedFragment(
  { streamId, fromUserId = null }: Origin,
  streamSequenceId: number,
  data: string,
): JsonFrame {
  const stream = { streamId, streamSequenceId };
  return { type: "message", from: "group", group: "g", fromUserId, dataType: "text", data, stream };
}

/** The last message of a stream; `error` is a name with any message, or the whole error. */
export function receivedEnd(
  { streamId, fromUserId = null }: Origin,
  streamSequenceId: number,
  error?: string | JsonFrame,
): JsonFrame {
  const shown = typeof error === "string" ? { name: error, message: expect.any(String) as unknown } : error;
  const stream = { streamId, streamSequenceId, endOfStream: true, ...(shown === undefined ? {} : { error: shown }) };
  return { type: "message", from: "group", group: "g", fromUserId, dataType: "text", data: "", stream };
}

/** Sends one frame and returns what comes next. */
export async function answerTo(client: JsonClient, frame: JsonFrame): Promise<JsonFrame> {
  client.send(frame);
  return client.next();
}

/** Opens a stream to group `g` and reads its ack, which must come next. */
export async function openStream(client: JsonClient, streamId: string, more: JsonFrame = {}): Promise<void> {
  expect(await answerTo(client, streamStart(streamId, more))).toEqual(streamAck(streamId, 1));
}
