import { isIP } from "node:net";
import type { Server } from "bun";
import type { Caller, UpgradeDecision } from "../core/ports.ts";
import type { Traffic } from "./socket.ts";
import { Socket } from "./socket.ts";

/** Certificate chain and key, PEM. */
export interface TlsFiles {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** What a listener is told of the peer of a request. */
export interface Peer {
  readonly address: string;
  readonly isSecure: boolean;
  /** Name of the listener in the configuration, null for one without. */
  readonly listener: string | null;
  /** Certificate the client showed; null without one. */
  readonly certificate: Caller["certificate"];
}

/** How a request is answered: over HTTP, or by a decision about its WebSocket upgrade. */
export type Answer = Response | { readonly upgrade: Promise<UpgradeDecision> };

export interface ListenOptions {
  readonly name: string | null;
  readonly hostname: string;
  /** 0: any free port; `Listener.port` tells which. */
  readonly port: number;
  readonly tls: TlsFiles | null;
  /** Biggest WebSocket message of a client in bytes; beyond it the socket is closed with 1009 (C-62). */
  readonly maxMessageBytes: number;
  /** Biggest one that is taken into memory at all, for sockets with a limit of their own (T-14). */
  readonly maxFrameBytes: number;
  /** Biggest HTTP body the runtime lets through; what is allowed below that is the handler's to say. */
  readonly maxBodyBytes: number;
  /** Seconds an HTTP peer may be silent while it owes something, handshake included (H-22, H-32). */
  readonly idleSeconds: number;
  readonly traffic: Traffic;
  /** Who is behind a local port, for a listener that others reach through a relay; null: nobody, and it is refused. */
  readonly peerAt?: (port: number) => Peer | null;
  /** Answers every request. A rejection or exception is a bug: it is reported and answered with 500. */
  handle(request: Request, peer: Peer): Answer | Promise<Answer>;
  onError(error: unknown): void;
}

/** A listening socket for HTTP and WebSocket on one port. */
export interface Listener {
  readonly port: number;
  /** Uses another certificate for new connections; open ones stay. Throws, keeping the old one, if it is unusable. */
  setTls(tls: TlsFiles): void;
  /** Uses another `maxFrameBytes` for new connections; open ones stay. Does nothing when it is the one in use. */
  setMaxFrameBytes(bytes: number): void;
  /** Takes no new connections; open sockets stay until they end. */
  stopAccepting(): void;
  /** HTTP requests that still wait for their answer. */
  readonly pendingRequests: number;
  /** Cuts what is left. Harmless when called again. */
  stop(): Promise<void>;
}

/** Thrown by `listen` when the address cannot be used; `message` is one line for the operator. */
export class ListenError extends Error {
  /** Whether the port is taken by somebody else. */
  readonly isInUse: boolean;

  constructor(message: string, cause: unknown, isInUse = false) {
    super(message, { cause });
    this.isInUse = isInUse;
  }
}

/**
 * Opens a listener on the runtime's own server. The runtime answers broken HTTP by itself (400, 426, 431) and checks
 * framing, masking, UTF-8 and size of WebSocket messages (H-10, H-20, H-22).
 */
export function listen(options: ListenOptions): Listener {
  let current = options;
  let server = serve(options, options.port);
  const port = server.port ?? options.port;
  const retired: Server<Socket>[] = [];
  /**
   * The runtime cannot change a listener: within one turn the port changes hands to a new one, while open sockets and
   * running requests stay with the old one until they end.
   */
  const replace = (next: ListenOptions): void => {
    retired.push(server);
    void server.stop(false);
    try {
      server = serve(next, port);
      current = next;
    } catch (error) {
      server = serve(current, port);
      throw error;
    }
  };
  return {
    port,
    setTls: (tls) => replace({ ...current, tls }),
    setMaxFrameBytes(maxFrameBytes) {
      if (maxFrameBytes !== current.maxFrameBytes) replace({ ...current, maxFrameBytes });
    },
    get pendingRequests() {
      return [...retired, server].reduce((sum, each) => sum + each.pendingRequests, 0);
    },
    stopAccepting() {
      void server.stop(false);
    },
    async stop() {
      await Promise.all([...retired, server].map((each) => each.stop(true)));
    },
  };
}

function serve(options: ListenOptions, port: number): Server<Socket> {
  const { tls } = options;
  try {
    return Bun.serve<Socket>({
      hostname: options.hostname,
      port,
      idleTimeout: options.idleSeconds,
      maxRequestBodySize: options.maxBodyBytes,
      ...(tls === null ? {} : { tls: { cert: tls.certificatePem, key: tls.keyPem } }),
      fetch: (request, server) => answer(options, request, server),
      error: (error) => {
        options.onError(error);
        return new Response(null, { status: 500 });
      },
      websocket: {
        // Pings, idle sockets and backpressure are this project's business; compression is off (performance.md 2.7).
        sendPings: false,
        idleTimeout: 0,
        perMessageDeflate: false,
        maxPayloadLength: options.maxFrameBytes,
        backpressureLimit: 0x7fff_ffff,
        closeOnBackpressureLimit: false,
        open: (socket) => socket.data.opened(socket),
        message: (socket, message) => socket.data.message(message),
        drain: (socket) => socket.data.drained(),
        ping: (socket) => socket.data.alive(),
        pong: (socket) => socket.data.alive(),
        close: (socket, code, reason) => socket.data.closed(code, reason),
      },
    });
  } catch (error) {
    throw listenError(error, options.hostname, port);
  }
}

async function answer(options: ListenOptions, request: Request, server: Server<Socket>): Promise<Response | undefined> {
  const peer = peerOf(options, server.requestIP(request));
  if (peer === null) return new Response(null, { status: 403 });
  const pending = options.handle(request, peer);
  const answered = pending instanceof Promise ? await pending : pending;
  if (answered instanceof Response) return answered;
  // The `connect` handler may take longer than a silent peer is allowed to.
  server.timeout(request, 0);
  const decision = await answered.upgrade;
  if (!decision.accept) {
    server.timeout(request, options.idleSeconds); // or a refused peer could stay for ever (H-32)
    const { status, body, headers = {} } = decision;
    return new Response(body === "" ? null : body, {
      status,
      headers: body === "" ? headers : { "Content-Type": "text/plain; charset=utf-8", ...headers },
    });
  }
  // An empty header keeps the runtime from choosing the first offer itself.
  const headers = { "Sec-WebSocket-Protocol": decision.subprotocol ?? "" };
  const isOpen = !request.signal.aborted && server.upgrade(request, { data: new Socket(decision, options), headers });
  if (isOpen) return undefined;
  decision.abandoned();
  return new Response(null, { status: 400 });
}

function peerOf(
  options: ListenOptions,
  source: { readonly address: string; readonly port: number } | null,
): Peer | null {
  if (options.peerAt !== undefined) return source === null ? null : options.peerAt(source.port);
  const { tls, name } = options;
  return { address: source?.address ?? "", isSecure: tls !== null, listener: name, certificate: null };
}

/** What an operator is told of a failed listen. */
export function listenError(error: unknown, hostname: string, port: number): ListenError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const address = `${hostname}:${port}`;
  // The runtime says the same of a name that does not resolve.
  if (code === "EADDRINUSE" && hostname !== "localhost" && isIP(hostname) === 0)
    return new ListenError(
      `Cannot listen on ${address}: the port is in use, or the name is not of this machine.`,
      error,
    );
  if (code === "EADDRINUSE")
    return new ListenError(`Port ${port} on ${hostname} is in use by another program.`, error, true);
  if (code === "EACCES")
    return new ListenError(`Not allowed to listen on ${address}; ports below 1024 need privileges.`, error);
  return new ListenError(
    `Cannot listen on ${address}: ${error instanceof Error ? error.message : String(error)}`,
    error,
  );
}
