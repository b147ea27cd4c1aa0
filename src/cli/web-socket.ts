import { type Failure, failed } from "./ending.ts";
import { answerDeadlineMs, silent, unreachable } from "./http.ts";

/** What a connection needs; the token travels in a header, so that no log of URLs holds it. */
export interface Dial {
  readonly url: string;
  readonly token: string;
  readonly subprotocol: string | null;
  /** What a 403 means at this endpoint. */
  readonly forbidden: string;
}

export type Dialled = { readonly ok: true; readonly socket: WebSocket } | Failure;

/** Opens a WebSocket; a refused handshake fails with the status the service gave, an endless one at the deadline. */
export function dial(
  { url, token, subprotocol, forbidden }: Dial,
  deadlineMs: number = answerDeadlineMs,
): Promise<Dialled> {
  const socket = new WebSocket(url, {
    headers: { Authorization: `Bearer ${token}` },
    ...(subprotocol !== null && { protocols: [subprotocol] }),
  });
  const { promise, resolve } = Promise.withResolvers<Dialled>();
  const deadline = setTimeout(() => {
    resolve(silent(url, deadlineMs));
    socket.terminate();
  }, deadlineMs);
  const settle = (dialled: Dialled): void => {
    clearTimeout(deadline);
    resolve(dialled);
  };
  socket.addEventListener("open", () => settle({ ok: true, socket }), { once: true });
  socket.addEventListener("error", (event) => settle(refusal(url, event, forbidden)), { once: true });
  return promise;
}

function refusal(url: string, { error, message }: ErrorEvent, forbidden: string): Failure {
  const status = /status code: (\d{3})/.exec(message)?.[1];
  if (status === undefined) return unreachable(url, error ?? message);
  const hint = status === "403" ? forbidden : hints[status];
  return failed(`the service answered ${status}${hint === undefined ? "" : `: ${hint}`}`);
}

const hints: Readonly<Record<string, string>> = {
  "401": "is the connection string that of this service?",
  "404": "there is no such endpoint",
  "429": "there are too many connections",
};
