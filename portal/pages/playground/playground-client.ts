import type { Protocol, Received, Request } from "./protocols.ts";

/** One frame, or something that happened to the socket. */
export interface Entry {
  readonly id: number;
  readonly direction: "in" | "out" | "note";
  readonly time: string;
  readonly text: string;
}

export type ClientState = "connecting" | "open" | "closed";

export interface ClientSnapshot {
  readonly state: ClientState;
  readonly connectionId: string | null;
  /** A dropped reliable client that may take its connection up again. */
  readonly canRecover: boolean;
  readonly entries: readonly Entry[];
}

const maxEntries = 500;
const recoveryParameters = { id: "awps_connection_id", token: "awps_reconnection_token" };

/** A client of the playground: one WebSocket after another, and the frames that went over them. */
export class PlaygroundClient {
  readonly protocol: Protocol;
  readonly #url: () => Promise<string>;
  readonly #listeners = new Set<() => void>();
  #snapshot: ClientSnapshot = { state: "closed", connectionId: null, canRecover: false, entries: [] };
  #socket: WebSocket | null = null;
  #recoveryUrl: string | null = null;
  #lastId = 0;
  #lastAckId = 0;
  #sequenceId = 0;

  /** `url` gives the client URL of a new connection. */
  constructor(protocol: Protocol, url: () => Promise<string>) {
    this.protocol = protocol;
    this.#url = url;
  }

  get snapshot(): ClientSnapshot {
    return this.#snapshot;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Connects anew. */
  async connect(): Promise<void> {
    this.#recoveryUrl = null;
    this.#sequenceId = 0;
    this.#update({ state: "connecting", connectionId: null, canRecover: false });
    try {
      this.#open(await this.#url());
    } catch (error) {
      this.#update({ state: "closed" });
      this.#note(error instanceof Error ? error.message : String(error));
    }
  }

  /** Takes a dropped reliable connection up again: the service sends what was missed. */
  recover(): void {
    if (this.#recoveryUrl === null) return;
    this.#update({ state: "connecting", canRecover: false });
    this.#note("Recovering.");
    this.#open(this.#recoveryUrl);
  }

  /** Sends a request; what cannot be written is noted. */
  send(request: Request): void {
    this.#lastAckId += 1;
    try {
      const { frame, text } = this.protocol.write(request, this.#lastAckId);
      this.#write(frame, text);
    } catch (error) {
      this.#note(`Not sent: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Sends a text frame as it is. */
  sendRaw(text: string): void {
    this.#write(text, text);
  }

  /** Closes in order: the service ends the connection. */
  close(): void {
    this.#recoveryUrl = null;
    this.#socket?.close(1000);
  }

  /**
   * Leaves as a network would that fails. A browser cannot cut a socket; a code of its own is what the service takes for
   * one, and keeps a reliable connection for.
   */
  drop(): void {
    this.#socket?.close(4000);
  }

  clear(): void {
    this.#update({ entries: [] });
  }

  #open(url: string): void {
    const { name } = this.protocol;
    const socket = name === null ? new WebSocket(url) : new WebSocket(url, name);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => this.#update({ state: "open" });
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => this.#received(url, data);
    socket.onclose = ({ code, reason }) => {
      const canRecover = this.#recoveryUrl !== null;
      const why = reason === "" ? "" : `: ${reason.replace(/\.$/, "")}`;
      this.#note(code === 1006 ? "Closed without a close frame: refused, or cut." : `Closed with code ${code}${why}.`);
      this.#update({ state: "closed", canRecover });
    };
  }

  #received(url: string, data: string | ArrayBuffer): void {
    const { text, notice } = this.#read(data);
    this.#add("in", text);
    if (notice.connected !== undefined) {
      const { connectionId, reconnectionToken } = notice.connected;
      this.#update({ connectionId });
      if (reconnectionToken !== null) this.#recoveryUrl = recoveryUrl(url, connectionId, reconnectionToken);
    }
    const { sequenceId } = notice;
    if (sequenceId === undefined || !this.protocol.isReliable) return;
    this.#sequenceId = Math.max(this.#sequenceId, sequenceId);
    const { frame, text: ack } = this.protocol.write({ kind: "sequenceAck", sequenceId: this.#sequenceId }, 0);
    this.#write(frame, ack);
  }

  #read(data: string | ArrayBuffer): Received {
    try {
      return this.protocol.read(data);
    } catch (error) {
      return { text: `A frame that cannot be read: ${String(error)}`, notice: {} };
    }
  }

  #write(frame: string | Uint8Array<ArrayBuffer>, text: string): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      this.#note("Not sent: it is not connected.");
      return;
    }
    this.#socket.send(frame);
    this.#add("out", text);
  }

  #note(text: string): void {
    this.#add("note", text);
  }

  #add(direction: Entry["direction"], text: string): void {
    this.#lastId += 1;
    const entry: Entry = { id: this.#lastId, direction, time: new Date().toISOString(), text };
    this.#update({ entries: [...this.#snapshot.entries.slice(1 - maxEntries), entry] });
  }

  #update(changes: Partial<ClientSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...changes };
    for (const listener of this.#listeners) listener();
  }
}

/** The client URL without the access token, and with the proof that the connection was this client's. */
function recoveryUrl(url: string, connectionId: string, token: string): string {
  const recovery = new URL(url);
  recovery.search = "";
  recovery.searchParams.set(recoveryParameters.id, connectionId);
  recovery.searchParams.set(recoveryParameters.token, token);
  return recovery.href;
}
