import type { Socket } from "node:net";

/** Gives up the place of an exchange. `isReusable`: the reply is complete and the peer keeps the connection. */
export type Leave = (isReusable: boolean) => void;

/** One request on its way, and who waits for its reply. */
export interface Carried {
  readonly request: string | Uint8Array;
  /** It has a place now, in a queue or at a socket; gives it up once, unless it was told that it lost it. */
  held(leave: Leave): void;
  /** The request is with the kernel. */
  written(): void;
  received(bytes: Buffer): void;
  /** The connection ended, without error if the peer closed it; `isStale`: a used one, before any byte of the reply. */
  lost(error: NodeJS.ErrnoException | null, isStale: boolean): void;
}

/** A socket that is about to connect. */
export interface DialledSocket {
  readonly socket: Socket;
  /** From when on it may be written to: for TLS only once the certificate is checked. */
  readonly openEvent: "connect" | "secureConnect";
}

/** Who keeps a socket. */
export interface SocketOwner {
  /** It is good for another request. */
  freed(socket: HttpSocket): void;
  /** It is no more. */
  lost(socket: HttpSocket, wasStale: boolean): void;
}

/** One connection to an origin. Carries one request at a time; what comes while it carries none ends it. */
export class HttpSocket {
  readonly #socket: Socket;
  readonly #owner: SocketOwner;
  #carried: Carried | null = null;
  #isOpen = false;
  #isReused = false;
  #isWritten = false;
  #hasReply = false;
  #isGone = false;

  constructor({ socket, openEvent }: DialledSocket, owner: SocketOwner) {
    this.#socket = socket;
    this.#owner = owner;
    socket.on(openEvent, () => {
      this.#isOpen = true;
      if (this.#carried !== null) this.#write(this.#carried);
    });
    socket.on("data", (bytes: Buffer) => {
      this.#hasReply = true;
      if (this.#carried === null) this.close();
      else this.#carried.received(bytes);
    });
    socket.on("end", () => this.#end(null));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(null));
  }

  /** Sends a request as soon as the socket is open. The socket must carry none. */
  carry(carried: Carried): void {
    this.#carried = carried;
    carried.held(this.#leave);
    if (!this.#isOpen) return;
    this.#isReused = true;
    this.#isWritten = false;
    this.#hasReply = false;
    this.#socket.ref();
    this.#write(carried);
  }

  /** Closes it at once; the request it carries is lost. */
  close(): void {
    this.#end(null);
  }

  #write(carried: Carried): void {
    this.#socket.write(carried.request, (error) => {
      if (error) return;
      this.#isWritten = true;
      carried.written();
    });
  }

  readonly #leave: Leave = (isReusable) => {
    this.#carried = null;
    // A reply that overtakes its request leaves the rest of it in the way of the next one.
    if (!isReusable || !this.#isWritten) {
      this.close();
      return;
    }
    this.#socket.unref(); // does not keep the process
    this.#owner.freed(this);
  };

  #end(error: NodeJS.ErrnoException | null): void {
    if (this.#isGone) return;
    this.#isGone = true;
    const carried = this.#carried;
    const isStale = carried !== null && this.#isReused && !this.#hasReply;
    this.#carried = null;
    this.#socket.destroy();
    this.#owner.lost(this, isStale);
    carried?.lost(error, isStale);
  }
}
