import type { BinaryReader } from "@bufbuild/protobuf/wire";
import type { Payload } from "../../core/payload.ts";
import { dataField, readMessage } from "./read-message.ts";
import { streamDataTags, streamEndErrorTags, streamEndTags, streamStartTags } from "./tags.ts";

/** The fields of a StreamStartInfo. */
export interface RawStreamStart {
  streamId: string;
  /** null: absent, unlike a present 0. */
  idleTimeoutMs: number | null;
}

/** The fields of a StreamDataMessage. */
export interface RawStreamData {
  readonly kind: "streamData";
  streamId: string;
  /** null: absent, unlike a present 0; inexact beyond 2^53. */
  sequenceId: number | null;
  /** null: no data, or data without a member. The bytes are a part of the frame. */
  data: Payload | null;
}

/** The fields of a StreamEndMessage. */
export interface RawStreamEnd {
  readonly kind: "streamEnd";
  streamId: string;
  error: RawStreamEndError | null;
}

interface RawStreamEndError {
  /** null: absent, unlike an empty one. */
  message: string | null;
  userErrorCode: string | null;
}

/** Reads a StreamStartInfo as a part of the one read before, if any; throws when the bytes are malformed. */
export function readStreamStart(reader: BinaryReader, before: RawStreamStart | null): RawStreamStart {
  const start = before ?? { streamId: "", idleTimeoutMs: null };
  readMessage(reader, start, streamStartField);
  return start;
}

/** Reads a StreamDataMessage as a part of the one read before, if any; throws when the bytes are malformed. */
export function readStreamData(reader: BinaryReader, before: RawStreamData | null): RawStreamData {
  const data = before ?? { kind: "streamData", streamId: "", sequenceId: null, data: null };
  readMessage(reader, data, streamDataField);
  return data;
}

/** Reads a StreamEndMessage as a part of the one read before, if any; throws when the bytes are malformed. */
export function readStreamEnd(reader: BinaryReader, before: RawStreamEnd | null): RawStreamEnd {
  const end = before ?? { kind: "streamEnd", streamId: "", error: null };
  readMessage(reader, end, streamEndField);
  return end;
}

function streamStartField(reader: BinaryReader, start: RawStreamStart, tag: number): boolean {
  switch (tag) {
    case streamStartTags.streamId:
      start.streamId = reader.string(true);
      return true;
    case streamStartTags.idleTimeoutMs:
      start.idleTimeoutMs = reader.uint32();
      return true;
    default:
      return false;
  }
}

function streamDataField(reader: BinaryReader, fragment: RawStreamData, tag: number): boolean {
  switch (tag) {
    case streamDataTags.streamId:
      fragment.streamId = reader.string(true);
      return true;
    case streamDataTags.sequenceId:
      fragment.sequenceId = Number(reader.uint64());
      return true;
    case streamDataTags.data:
      readMessage(reader, fragment, dataField);
      return true;
    default:
      return false;
  }
}

function streamEndField(reader: BinaryReader, end: RawStreamEnd, tag: number): boolean {
  switch (tag) {
    case streamEndTags.streamId:
      end.streamId = reader.string(true);
      return true;
    case streamEndTags.error:
      end.error ??= { message: null, userErrorCode: null };
      readMessage(reader, end.error, streamEndErrorField);
      return true;
    default:
      return false;
  }
}

function streamEndErrorField(reader: BinaryReader, error: RawStreamEndError, tag: number): boolean {
  switch (tag) {
    case streamEndErrorTags.message:
      error.message = reader.string(true);
      return true;
    case streamEndErrorTags.userErrorCode:
      error.userErrorCode = reader.string(true);
      return true;
    default:
      return false;
  }
}
