import { randomUUID } from "node:crypto";
import type { AccessKey } from "../../auth/access-keys.ts";
import { mintClientToken } from "../../auth/mint.ts";
import { decodeFrame, encodeFrame } from "../../tunnel/frames.ts";
import type { TunnelMessage } from "../../tunnel/messages.ts";
import { codeOf, wordsFor } from "../network-error.ts";

/** Where a connection goes, and as whom. */
export interface LinkTarget {
  /** Base URL of the service, `http` or `https`. */
  readonly endpoint: string;
  readonly hub: string;
  /** What the service asked to name when it moved the connection; null for nothing. */
  readonly targetId: string | null;
  readonly key: AccessKey;
  /** The same on all connections of this process, for the service to know it by. */
  readonly serverId: string;
}

export interface LinkEvents {
  /** The service has greeted; it may send requests from now on. */
  opened(connectionId: string): void;
  message(message: TunnelMessage): void;
  /** The end; called exactly once. */
  closed(end: LinkEnd): void;
}

/** How a connection ended: it never came to be (`status`: the service answered the handshake), or it was open. */
export type LinkEnd =
  | { readonly kind: "failed"; readonly status: number | null; readonly detail: string }
  | { readonly kind: "closed"; readonly code: number; readonly reason: string };

/** One connection to the service. */
export interface Link {
  send(message: TunnelMessage): void;
  /** Closes it in order; `closed` follows. */
  close(): void;
}

const tokenSeconds = 3600;
const greetingMs = 15_000;
const pingMs = 20_000;
const silenceMs = 60_000;
/** Time for the closing handshake. */
const closeMs = 2000;
const path = "/server/tunnel";

/**
 * Opens one connection. It answers pings, sends some itself, and gives a service up that is silent for a minute: a
 * connection may be gone without either side being told.
 */
export function openLink(target: LinkTarget, events: LinkEvents): Link {
  const socket = new WebSocket(socketUrl(target));
  socket.binaryType = "arraybuffer";
  let isOpen = false;
  let heardAt = Date.now();
  let closing: ReturnType<typeof setTimeout> | undefined;
  let failure: Extract<LinkEnd, { kind: "failed" }> = {
    kind: "failed",
    status: null,
    detail: "the connection was closed",
  };
  const heard = (): void => {
    heardAt = Date.now();
  };
  const fail = (detail: string): void => {
    failure = { kind: "failed", status: null, detail };
    socket.terminate();
  };
  const greeting = setTimeout(() => fail("the service did not greet"), greetingMs);
  const life = setInterval(() => {
    if (Date.now() - heardAt >= silenceMs) socket.terminate();
    else if (isOpen) socket.ping();
  }, pingMs);
  socket.addEventListener("ping", heard);
  socket.addEventListener("pong", heard);
  socket.addEventListener("error", (event) => {
    // The text begins with the URL, and so with the token.
    const text = event.message.split(" failed: ").at(-1) ?? "";
    const status = /^Expected 101 status code: (\d{3})/.exec(text)?.[1];
    const code = codeOf(event.error);
    const detail = wordsFor(code) ?? (code === null ? text : `${text}, ${code}`);
    failure = { kind: "failed", status: status === undefined ? null : Number(status), detail };
  });
  socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    heard();
    const message =
      data instanceof ArrayBuffer
        ? decodeFrame(new Uint8Array(data), { maxJsonBytes: Number.POSITIVE_INFINITY })
        : ({ type: "fault", detail: "it is text" } as const);
    if (message.type === "fault") {
      fail(`the service sent what is no tunnel message: ${message.detail}`);
    } else if (isOpen) events.message(message);
    else if (message.type === "connected") {
      isOpen = true;
      clearTimeout(greeting);
      events.opened(message.connectionId);
    } else fail("the service did not greet");
  });
  socket.addEventListener("close", ({ code, reason }) => {
    clearTimeout(greeting);
    clearInterval(life);
    clearTimeout(closing);
    events.closed(isOpen ? { kind: "closed", code, reason } : failure);
  });
  return {
    send: (message) => socket.send(encodeFrame(message)),
    close() {
      socket.close(1000);
      closing = setTimeout(() => socket.terminate(), closeMs);
    },
  };
}

/** The audience is the URL of the WebSocket without the token. */
function socketUrl({ endpoint, hub, targetId, key, serverId }: LinkTarget): string {
  const target = targetId === null || targetId === "" ? "" : `&target=${encodeURIComponent(targetId)}`;
  const base = endpoint.replace(/\/+$/, "").replace(/^http/i, "ws");
  const audience = `${base}${path}?hub=${encodeURIComponent(hub)}${target}`;
  const token = mintClientToken(key, {
    audience,
    userId: serverId,
    roles: [],
    groups: [],
    issuedAtSeconds: Math.floor(Date.now() / 1000),
    lifetimeSeconds: tokenSeconds,
    tokenId: randomUUID(),
  });
  return `${audience}&access_token=${token}`;
}
