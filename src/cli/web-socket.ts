import { type Failure, failed } from "./ending.ts";

/** What a connection needs; the token travels in a header, so that no log of URLs holds it. */
export interface Dial {
  readonly url: string;
  readonly token: string;
  readonly subprotocol: string | null;
}

export type Dialled = { readonly ok: true; readonly socket: WebSocket } | Failure;

/** Opens a WebSocket; a refused handshake fails with the status the service gave. */
export function dial({ url, token, subprotocol }: Dial): Promise<Dialled> {
  const socket = new WebSocket(url, {
    headers: { Authorization: `Bearer ${token}` },
    ...(subprotocol !== null && { protocols: [subprotocol] }),
  });
  const { promise, resolve } = Promise.withResolvers<Dialled>();
  socket.addEventListener("open", () => resolve({ ok: true, socket }), { once: true });
  socket.addEventListener("error", (event) => resolve(failed(refusal(url, event.message))), { once: true });
  return promise;
}

function refusal(url: string, message: string): string {
  const { host } = new URL(url);
  const status = /status code: (\d{3})/.exec(message)?.[1];
  if (status === undefined)
    return `${host} does not answer: ${message.replace(/^WebSocket connection to '.*' failed: /, "")}`;
  return `the service answered ${status}${hints[status] ?? ""}`;
}

const hints: Readonly<Record<string, string>> = {
  "401": ": is the connection string that of this service?",
  "403": ": live trace is switched off, or a network rule refuses it",
  "404": ": there is no such endpoint",
};
