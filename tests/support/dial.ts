import * as net from "node:net";
import * as tls from "node:tls";
import { defaultDeadlineMs, inTime } from "./inbox.ts";

export interface DialOptions {
  /** PEM of the authority to trust for `https`; default: the system's. */
  readonly ca?: string | undefined;
  readonly withinMs?: number | undefined;
}

/** Opens a TCP connection to an `http(s)` endpoint, with TLS where the scheme says so. Resolves when bytes can be written. */
export async function dial(endpoint: string, options: DialOptions = {}): Promise<net.Socket> {
  const url = new URL(endpoint);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isSecure = url.protocol === "https:" || url.protocol === "wss:";
  const port = Number(url.port) || (isSecure ? 443 : 80);
  const socket = isSecure
    ? tls.connect({
        host,
        port,
        ...(net.isIP(host) === 0 ? { servername: host } : {}),
        ...(options.ca === undefined ? {} : { ca: options.ca }),
      })
    : net.connect({ host, port });
  socket.setNoDelay(true);
  const opened = new Promise<void>((resolve, reject) => {
    socket.once(isSecure ? "secureConnect" : "connect", resolve);
    socket.once("error", reject);
  });
  try {
    await inTime(opened, `connection to ${url.host}`, options.withinMs ?? defaultDeadlineMs);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  // A reset by the server shows as the end of the stream; whoever reads it notices.
  socket.on("error", () => socket.destroy());
  return socket;
}
