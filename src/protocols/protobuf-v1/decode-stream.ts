import { type Command, defaultStreamIdleTimeoutMs, type StreamStart } from "../../core/commands.ts";
import { maxClientIdLength } from "../../core/names.ts";
import { checkData } from "./check-data.ts";
import type { RawStreamData, RawStreamEnd, RawStreamStart } from "./read-stream.ts";

/** What a start has in common with every message to a group. */
type Send = Omit<StreamStart, "kind" | "streamId" | "idleTimeoutMs">;

/** Decodes the start of a stream; what is wrong with it concerns the stream alone, not the connection (client-protocols 7.2). */
export function decodeStreamStart(start: RawStreamStart, hasData: boolean, send: Send): Command {
  const { streamId } = start;
  const idleTimeoutMs = start.idleTimeoutMs ?? defaultStreamIdleTimeoutMs;
  const problem = (message: string): Command => {
    return { kind: "streamProblem", streamId, opens: true, message, ackId: send.ackId };
  };
  if (streamId === "") return problem("The stream id is missing.");
  if (streamId.length > maxClientIdLength) return problem("The stream id is too long.");
  if (hasData) return problem("The start of a stream cannot have data.");
  if (idleTimeoutMs === 0) return problem("The idle timeout must be above 0.");
  return { kind: "streamStart", streamId, ...send, idleTimeoutMs };
}

/** Decodes a fragment, which has a sequence id and data, or a keep-alive, which has neither. */
export function decodeStreamData({ streamId, sequenceId, data }: RawStreamData, frame: Uint8Array): Command {
  if (sequenceId === null && data === null) return { kind: "streamKeepAlive", streamId };
  const problem = (message: string): Command => {
    return { kind: "streamProblem", streamId, opens: false, message, ackId: null };
  };
  if (sequenceId === null) return problem("The stream sequence id is missing.");
  if (sequenceId === 0) return problem("The stream sequence id must be above 0.");
  if (data === null) return problem("The data are missing.");
  const payload = checkData(data, frame);
  return typeof payload === "string" ? problem(payload) : { kind: "streamData", streamId, sequenceId, payload };
}

/** Decodes the end of a stream. */
export function decodeStreamEnd({ streamId, error }: RawStreamEnd): Command {
  return { kind: "streamEnd", streamId, error };
}
