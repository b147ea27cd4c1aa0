import * as net from "node:net";
import * as tls from "node:tls";

export interface ProxyOptions {
  /** Where requests go, `http://127.0.0.1:<port>`. */
  readonly target: string;
  /** Ends TLS with this certificate. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Headers that replace those of the request, in latter's place or added; `Host` too. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A reverse proxy. */
export interface Proxy {
  /** `http(s)://localhost:<port>` */
  readonly url: string;
  /** Request lines that passed. */
  readonly requests: readonly string[];
  /** Resets every connection of now, without a close frame. */
  cut(): void;
  stop(): Promise<void>;
}

/** Starts a reverse proxy on loopback for HTTP and WebSocket; each of its connections carries one request. */
export async function startProxy({ target, headers = {}, ...options }: ProxyOptions): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const requests: string[] = [];
  const sockets = new Set<net.Socket>();
  const serve = (downstream: net.Socket): void => {
    sockets.add(downstream);
    downstream.on("close", () => sockets.delete(downstream));
    downstream.on("error", () => downstream.destroy());
    let bytes = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf("\r\n\r\n");
      if (end === -1) return;
      downstream.off("data", onData);
      downstream.pause();
      const head = bytes.subarray(0, end).toString("latin1");
      requests.push(head.slice(0, head.indexOf("\r\n")));
      const upstream = net.connect({ host: hostname, port: Number(port) }, () => {
        upstream.write(Buffer.concat([Buffer.from(rewritten(head, headers), "latin1"), bytes.subarray(end)]));
        downstream.pipe(upstream);
        upstream.pipe(downstream);
      });
      sockets.add(upstream);
      upstream.on("close", () => sockets.delete(upstream));
      upstream.on("error", () => downstream.destroy());
    };
    downstream.on("data", onData);
  };
  const server = options.tls === undefined ? net.createServer(serve) : tls.createServer({ ...options.tls }, serve);
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const scheme = options.tls === undefined ? "http" : "https";
  return {
    url: `${scheme}://localhost:${(server.address() as net.AddressInfo).port}`,
    requests,
    cut: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** The head without its final blank line, headers replaced; anything but an upgrade becomes the last of its connection. */
function rewritten(head: string, headers: Readonly<Record<string, string>>): string {
  const isUpgrade = /^upgrade:/im.test(head);
  const replaced = { ...headers, ...(isUpgrade ? {} : { Connection: "close" }) };
  const names = Object.keys(replaced).map((name) => name.toLowerCase());
  const [first = "", ...lines] = head.split("\r\n");
  const kept = lines.filter((line) => !names.includes(line.slice(0, line.indexOf(":")).toLowerCase()));
  return [first, ...kept, ...Object.entries(replaced).map(([name, value]) => `${name}: ${value}`)].join("\r\n");
}
