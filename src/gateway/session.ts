import type { Connection } from "../core/connection.ts";
import type { Executor } from "../core/execute.ts";
import { execute } from "../core/execute.ts";
import { traceCommand } from "../core/message-trace.ts";
import type { Frame } from "../core/outbound.ts";
import type { FrameSink, MessageTelemetry, SocketEvents } from "../core/ports.ts";
import type { Decoded } from "../protocols/codec.ts";
import type { AnyCodec } from "../protocols/registry.ts";

interface Waiting {
  readonly decoded: Decoded;
  readonly size: number;
}

/**
 * Binds one socket to its connection: decodes each frame and carries it out, strictly in order and one at a time, while
 * a user event waits for its handler included (client-protocols 6.8). Ping, sequence acks and the cancelling of an
 * invocation do not wait (C-56).
 */
export class Session implements SocketEvents {
  readonly #executor: Executor;
  readonly #connection: Connection;
  readonly #codec: AnyCodec;
  readonly #state: unknown;
  #busy = false;
  #waiting: Waiting[] | null = null;
  #waitingSize = 0;

  constructor(
    executor: Executor,
    connection: Connection,
    speech: { readonly codec: AnyCodec; readonly state: unknown },
  ) {
    this.#executor = executor;
    this.#connection = connection;
    this.#codec = speech.codec;
    this.#state = speech.state;
  }

  frame(frame: Frame): void {
    const connection = this.#connection;
    if (!connection.isOpen) return;
    const { service } = this.#executor;
    service.heard(connection);
    const watching = service.messages;
    const decoded = watching === null ? this.#codec.decode(this.#state, frame) : this.#decodeWatched(frame, watching);
    if (!this.#busy) {
      this.#carryOut(decoded);
      return;
    }
    if (decoded.kind === "ping" || decoded.kind === "sequenceAck") {
      void execute(this.#executor, connection, decoded); // done when it returns
      return;
    }
    if (decoded.kind === "cancelInvocation") {
      this.#cancelInvocation(decoded);
      return;
    }
    // A stream is not idle while what keeps it alive waits here (C-98).
    if (decoded.kind === "streamData" || decoded.kind === "streamKeepAlive") {
      connection.streams?.noteFrame(decoded.streamId);
    }
    const waiting = (this.#waiting ??= []);
    waiting.push({ decoded, size: frame.length });
    this.#waitingSize += frame.length;
    const { messages, bytes } = service.limits.inboundQueue;
    if (waiting.length > messages || this.#waitingSize > bytes) service.end(connection, "inboxFull");
  }

  drained(): void {
    this.#connection.outbox.drained();
  }

  alive(): void {
    this.#executor.service.heard(this.#connection);
  }

  closed(code: number, reason: string): void {
    const connection = this.#connection;
    this.#executor.service.socketClosed(connection, code, reason);
    // What a reliable client sent before its socket dropped is still carried out.
    if (!connection.isOpen) this.#waiting = null;
  }

  /**
   * The events of one socket of a reliable connection, which may have several in its life: those of a socket that was
   * replaced are ignored, and its commands go on in order on the new one (C-78).
   */
  eventsOf(sink: FrameSink): SocketEvents {
    const connection = this.#connection;
    const isCurrent = (): boolean => connection.sink === sink;
    return {
      frame: (frame) => {
        if (isCurrent()) this.frame(frame);
      },
      drained: () => {
        if (isCurrent()) this.drained();
      },
      alive: () => {
        if (isCurrent()) this.alive();
      },
      closed: (code, reason) => {
        if (isCurrent()) this.closed(code, reason);
      },
    };
  }

  /** The same for whoever watches, told before it waits for what the client sent earlier. */
  #decodeWatched(frame: Frame, messages: MessageTelemetry): Decoded {
    const trace = messages.arrived();
    const decoded = this.#codec.decode(this.#state, frame);
    return decoded.kind === "fault" ? decoded : traceCommand(decoded, trace, { messages, from: this.#connection });
  }

  /** The invocation may be pending, or still wait behind an event itself; with a client that uses ids twice, both. */
  #cancelInvocation(command: Extract<Decoded, { readonly kind: "cancelInvocation" }>): void {
    const { invocationId } = command;
    const isIt = ({ decoded }: Waiting): boolean => decoded.kind === "invoke" && decoded.invocationId === invocationId;
    const at = this.#waiting?.findIndex(isIt) ?? -1;
    const [waiting] = at < 0 ? [] : (this.#waiting?.splice(at, 1) ?? []);
    if (waiting !== undefined) this.#waitingSize -= waiting.size;
    void execute(this.#executor, this.#connection, command); // done when it returns
  }

  #carryOut(decoded: Decoded): void {
    if (decoded.kind === "fault") {
      this.#executor.service.end(this.#connection, decoded.cause, decoded.text);
      return;
    }
    const pending = execute(this.#executor, this.#connection, decoded);
    if (pending === undefined) return;
    this.#busy = true;
    // `execute` never rejects.
    void pending.then(() => this.#continue());
  }

  #continue(): void {
    this.#busy = false;
    while (!this.#busy && this.#waiting !== null && this.#connection.isOpen) {
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#waiting = null;
        return;
      }
      this.#waitingSize -= next.size;
      this.#carryOut(next.decoded);
    }
  }
}
