import { X509Certificate } from "node:crypto";
import { connect } from "node:net";
import type { TLSSocket } from "node:tls";
import { createServer } from "node:tls";
import type { Caller } from "../core/ports.ts";
import type { Listener, ListenOptions, Peer, TlsFiles } from "./listener.ts";
import { listen, listenError } from "./listener.ts";

const innerHost = "127.0.0.1";

/**
 * Opens an https listener that asks clients for a certificate and tells it to the handler (M-35). A missing certificate
 * is no failure and no chain is verified: the `connect` handler judges (management 8).
 *
 * The runtime's server cannot show a client certificate, so TLS ends here and each socket is piped to an inner listener
 * on loopback, which recognises it by its port and refuses everybody else. Costs a copy per byte; used only where
 * `tls.clientCertEnabled` asks for it.
 */
export async function listenForCertificates(options: ListenOptions, tls: TlsFiles): Promise<Listener> {
  const peers = new Map<number, Peer>();
  const inner = listen({
    ...options,
    hostname: innerHost,
    port: 0,
    tls: null,
    peerAt: (port) => peers.get(port) ?? null,
  });
  const sockets = new Set<TLSSocket>();
  const front = createServer(
    {
      cert: tls.certificatePem,
      key: tls.keyPem,
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: options.idleSeconds * 1000,
      ALPNProtocols: ["http/1.1"],
    },
    (socket) => {
      sockets.add(socket);
      const peer: Peer = {
        address: socket.remoteAddress ?? "",
        isSecure: true,
        listener: options.name,
        certificate: certificateOf(socket),
      };
      const tunnel = connect({ host: innerHost, port: inner.port }, () => {
        const port = tunnel.localPort ?? 0;
        peers.set(port, peer);
        tunnel.once("close", () => peers.delete(port));
        socket.pipe(tunnel).pipe(socket);
      });
      // Whichever side ends or breaks takes the other one along.
      tunnel.on("error", () => socket.destroy());
      tunnel.on("close", () => socket.destroy());
      socket.on("error", () => tunnel.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        tunnel.destroy();
      });
    },
  );
  front.on("tlsClientError", (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    front.once("error", (error) => {
      void inner.stop();
      reject(listenError(error, options.hostname, options.port));
    });
    front.listen(options.port, options.hostname, resolve);
  });
  const address = front.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    setMaxFrameBytes: (bytes) => inner.setMaxFrameBytes(bytes),
    setTls: ({ certificatePem, keyPem }) => front.setSecureContext({ cert: certificatePem, key: keyPem }),
    get pendingRequests() {
      return inner.pendingRequests;
    },
    stopAccepting() {
      front.close();
    },
    async stop() {
      front.close();
      await inner.stop();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** SHA-1 thumbprint in upper-case hex, and PEM, as the `connect` event carries them (event-handlers 6.1). */
function certificateOf(socket: TLSSocket): Caller["certificate"] {
  const { raw } = socket.getPeerCertificate();
  // Without a certificate the runtime returns an empty object, whatever the types say.
  if (!(raw instanceof Uint8Array)) return null;
  const certificate = new X509Certificate(raw);
  return { thumbprint: certificate.fingerprint.replaceAll(":", ""), content: certificate.toString() };
}
