// The polyfill must be there before the X.509 library is loaded.
import "reflect-metadata";
import { createHash } from "node:crypto";
import * as tls from "node:tls";
import { X509CertificateGenerator } from "@peculiar/x509";
import { type ClientOptions, clientPath } from "./clients.ts";
import { inTime } from "./inbox.ts";
import { readResponse } from "./raw-http.ts";
import type { Target } from "./server.ts";
import { WebSocketClient } from "./web-socket.ts";

/** A certificate a client can show. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
  /** SHA-1 of the certificate in upper-case hex. */
  readonly thumbprint: string;
}

/** Makes a self-signed certificate with a new key; it is valid for an hour around now unless told otherwise. */
export async function makeClientCertificate(
  name: string,
  validity: { readonly notAfter?: Date } = {},
): Promise<ClientCertificate> {
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: validity.notAfter ?? new Date(Date.now() + 3_600_000),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
  });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return {
    cert: certificate.toString("pem"),
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
    thumbprint: createHash("sha1").update(Buffer.from(certificate.rawData)).digest("hex").toUpperCase(),
  };
}

/** Opens a WebSocket over TLS as a client that shows this certificate, or none. */
export async function openWithCertificate(
  target: Target,
  options: ClientOptions,
  certificate: ClientCertificate | null,
): Promise<WebSocketClient> {
  const { hostname, port, host } = new URL(target.endpoint);
  const socket = tls.connect({
    host: hostname,
    port: Number(port),
    ...(target.ca === undefined ? {} : { ca: target.ca }),
    ...(certificate === null ? {} : { cert: certificate.cert, key: certificate.key }),
  });
  const secured = new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  await inTime(secured, "TLS connection");
  socket.on("error", () => socket.destroy());
  const lines = [
    `GET ${clientPath(target, options)} HTTP/1.1`,
    `Host: ${host}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Version: 13",
    ...(options.headers ?? []).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  const { response, rest } = await readResponse(socket);
  if (response.status === 101) return new WebSocketClient(socket, { response, rest, answerPings: true });
  socket.destroy();
  throw new Error(`the handshake was answered ${response.status}`);
}
