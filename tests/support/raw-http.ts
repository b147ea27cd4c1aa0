import type { Socket } from "node:net";
import { type DialOptions, dial } from "./dial.ts";
import { HttpResponse, type ResponseHead, readBody, readHead } from "./http-response.ts";
import { defaultDeadlineMs, inTime } from "./inbox.ts";

export interface RawRequestOptions extends DialOptions {
  /** The answer has no body whatever its headers say (HEAD). */
  readonly isHead?: boolean;
}

/**
 * Writes exactly these bytes on a connection of their own and reads one response; 1xx answers but 101 are skipped.
 * Rejects when the server closes or stays silent instead. Closes the connection.
 */
export async function rawRequest(
  endpoint: string,
  bytes: string | Uint8Array,
  options: RawRequestOptions = {},
): Promise<HttpResponse> {
  const socket = await dial(endpoint, options);
  try {
    socket.write(bytes);
    return (await readResponse(socket, options)).response;
  } finally {
    socket.destroy();
  }
}

export interface ReadResponse {
  readonly response: HttpResponse;
  /** After a 101: the first bytes of the new protocol, as far as they came along. Else empty. */
  readonly rest: Buffer;
}

/** Reads the next response from an open connection; after it the socket is paused and has no listeners of ours. */
export async function readResponse(socket: Socket, options: RawRequestOptions = {}): Promise<ReadResponse> {
  let bytes = Buffer.alloc(0);
  const done = Promise.withResolvers<ReadResponse>();
  const look = (ended: boolean): void => {
    try {
      const read = complete(bytes, options.isHead ?? false, ended);
      if (read !== null) done.resolve(read);
      else if (ended)
        done.reject(
          new Error(`the connection ended before its response did: ${JSON.stringify(bytes.toString("latin1"))}`),
        );
    } catch (error) {
      done.reject(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const onData = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    look(false);
  };
  const onEnd = (): void => look(true);
  socket.on("data", onData).on("end", onEnd).on("close", onEnd);
  try {
    return await inTime(done.promise, "HTTP response", options.withinMs ?? defaultDeadlineMs);
  } finally {
    socket.pause();
    socket.off("data", onData).off("end", onEnd).off("close", onEnd);
  }
}

function complete(bytes: Buffer, isHead: boolean, ended: boolean): ReadResponse | null {
  const head: ResponseHead | null = readHead(bytes);
  if (head === null) return null;
  const rest = bytes.subarray(head.length);
  if (head.status < 200 && head.status !== 101) return complete(rest, isHead, ended);
  if (head.status === 101) return { response: new HttpResponse(head, Buffer.alloc(0)), rest };
  const body = isHead ? Buffer.alloc(0) : readBody(head, rest, ended);
  return body === null ? null : { response: new HttpResponse(head, body), rest: Buffer.alloc(0) };
}
