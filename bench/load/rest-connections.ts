import type { Endpoint } from "./job.ts";
import { RawSocket } from "./raw-socket.ts";
import { signToken } from "./sign.ts";

/** A REST send of text. */
export interface RestSend {
  readonly path: string;
  /** Second in which its token was signed; with the path it makes the token one of its own. */
  readonly signedAt: number;
  readonly text: string;
}

/** Bytes of a request as the JavaScript SDK makes it: a token of its own, with the full URL as audience. */
export function restRequest({ port, accessKey }: Endpoint, { path, signedAt, text }: RestSend): Buffer {
  const claims = { iat: signedAt, exp: signedAt + 3600, aud: `http://127.0.0.1:${port}${path}` };
  const lines = [
    `POST ${path} HTTP/1.1`,
    "content-type: text/plain",
    "accept: application/json",
    "accept-encoding: gzip,deflate",
    "user-agent: azsdk-js-web-pubsub-rest/1.2.0 bench",
    `authorization: Bearer ${signToken(accessKey, claims)}`,
    `content-length: ${text.length}`,
    `host: 127.0.0.1:${port}`,
    "connection: keep-alive",
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${text}`);
}

/** Keep-alive connections for REST requests, one request at a time on each. */
export class RestConnections {
  readonly #port: number;
  readonly #accepted: () => void;
  readonly #free: RawSocket[] = [];
  #isOpen = false;

  /** `accepted` is called for each 202; any other answer ends the generator. */
  constructor(port: number, accepted: () => void) {
    this.#port = port;
    this.#accepted = accepted;
  }

  async open(connections: number): Promise<void> {
    this.#isOpen = true;
    for (let opened = 0; opened < connections; opened++) this.#free.push(await this.#openOne());
  }

  /** Sends on a connection that has nothing under way; there must be one. */
  send(request: Buffer): void {
    const socket = this.#free.pop();
    if (socket === undefined) throw new Error("more requests under way than connections");
    socket.write(request);
  }

  /** Ends the connections; nothing may be under way. */
  close(): void {
    this.#isOpen = false;
    for (const socket of this.#free.splice(0)) socket.end();
  }

  async #openOne(): Promise<RawSocket> {
    const socket = await RawSocket.open(this.#port, {
      received: (chunk) => {
        if (!isAccepted(chunk)) throw new Error(`request refused: ${chunk.toString("latin1").split("\r\n", 1)[0]}`);
        this.#free.push(socket);
        this.#accepted();
      },
      ended: () => {
        if (this.#isOpen) throw new Error("the server ended a keep-alive connection under load");
      },
    });
    return socket;
  }
}

/** One answer at a time, without a body: what arrives is the whole of it. */
function isAccepted(answer: Buffer): boolean {
  return answer.toString("latin1", 9, 12) === "202" && answer.toString("latin1", answer.length - 4) === "\r\n\r\n";
}
