import { FrameCounter } from "./frame-counter.ts";
import type { Endpoint } from "./job.ts";
import { RawSocket } from "./raw-socket.ts";
import { nowSeconds, signToken } from "./sign.ts";

const hub = "bench";
/** How many handshakes are under way at a time while a load gets ready. */
const openAtOnce = 100;

/** What a client's token says besides audience and expiry. */
export interface ClientClaims {
  readonly sub: string;
  readonly role?: readonly string[];
  readonly "webpubsub.group"?: readonly string[];
}

/** Subprotocols there is a load for. */
export type Subprotocol =
  | "json.webpubsub.azure.v1"
  | "json.reliable.webpubsub.azure.v1"
  | "protobuf.webpubsub.azure.v1";

/** What is the same for all clients that are opened together. */
export interface ClientOptions {
  /** Null: a simple client, which gets no first frame. */
  readonly subprotocol: Subprotocol | null;
  /** Told of the data frames that a client got, and how many of them have less than 126 bytes. */
  readonly frames: (count: number, from: RawSocket, shorts: number) => void;
}

/** Bytes of an upgrade request of a client, its token included; ready to be written. */
export function upgradeRequest(
  { port, accessKey }: Endpoint,
  claims: ClientClaims,
  subprotocol: Subprotocol | null = "json.webpubsub.azure.v1",
): Buffer {
  const audience = `http://127.0.0.1:${port}/client/hubs/${hub}`;
  const iat = nowSeconds();
  const token = signToken(accessKey, { aud: audience, iat, exp: iat + 3600, ...claims });
  const lines = [
    `GET /client/hubs/${hub}?access_token=${token} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...(subprotocol === null ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
}

/** A text frame of a client. The mask is zero, which leaves the payload as it is and costs the server the same. */
export function textFrame(value: unknown): Buffer {
  return clientFrame(0x81, Buffer.from(JSON.stringify(value)));
}

/** A pong without payload, as the service's pings have none. */
export const pongFrame = clientFrame(0x8a, Buffer.alloc(0));

/** A close frame with code 1000. */
export const closeFrame = clientFrame(0x88, Buffer.from([0x03, 0xe8]));

/** A frame of a client with this first byte, its mask zero; payloads up to 65,535 bytes. */
export function clientFrame(first: number, payload: Buffer): Buffer {
  const { length } = payload;
  const size = length < 126 ? [0x80 | length] : [0xfe, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([first, ...size, 0, 0, 0, 0]), payload]);
}

/** Reads the answer to an upgrade; what is left behind it, or null while it is not complete. Throws on a refusal. */
export function readUpgrade(answer: Buffer): Buffer | null {
  const end = answer.indexOf("\r\n\r\n");
  if (end < 0) return null;
  if (!answer.subarray(0, end).toString("latin1").startsWith("HTTP/1.1 101")) {
    throw new Error(`upgrade refused: ${answer.toString("latin1").split("\r\n", 1)[0]}`);
  }
  return answer.subarray(end + 4);
}

/**
 * Opens connected clients, each past its first frame (`connected`) if it gets one, and counts the data frames they get from then
 * on. They answer pings, or the service would give them up after a minute.
 */
export async function openClients(
  endpoint: Endpoint,
  claims: readonly ClientClaims[],
  options: ClientOptions,
): Promise<readonly RawSocket[]> {
  const sockets: RawSocket[] = [];
  for (let from = 0; from < claims.length; from += openAtOnce) {
    const batch = claims.slice(from, from + openAtOnce);
    sockets.push(...(await Promise.all(batch.map((each) => openClient(endpoint, each, options)))));
  }
  return sockets;
}

async function openClient(
  endpoint: Endpoint,
  claims: ClientClaims,
  { subprotocol, frames }: ClientOptions,
): Promise<RawSocket> {
  const connected = Promise.withResolvers<void>();
  const counter = new FrameCounter();
  let answer: Buffer | null = Buffer.alloc(0);
  const ended = (): void => {
    throw new Error("the server ended a connection under load");
  };
  const counting = {
    received(chunk: Buffer) {
      const { pings, shorts } = counter;
      const count = counter.push(chunk);
      if (count > 0) frames(count, socket, counter.shorts - shorts);
      if (counter.pings > pings) socket.write(pongFrame);
    },
    ended,
  };
  const socket = await RawSocket.open(endpoint.port, {
    received(chunk) {
      let rest: Buffer | null = chunk;
      if (answer !== null) {
        answer = Buffer.concat([answer, chunk]);
        rest = readUpgrade(answer);
        if (rest === null) return;
        answer = null;
      }
      if (subprotocol !== null && counter.push(rest) === 0) return;
      socket.receiver = counting;
      connected.resolve();
    },
    ended,
  });
  socket.write(upgradeRequest(endpoint, claims, subprotocol));
  await connected.promise;
  return socket;
}
