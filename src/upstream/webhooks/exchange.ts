import http, { type ClientRequest, type IncomingMessage } from "node:http";
import https from "node:https";
import type { Scheduler } from "../../core/ports.ts";
import type {
  ExchangeEvents,
  FailureCause,
  Pool,
  StartExchange,
  WireFailure,
  WireReply,
  WireRequest,
} from "./target.ts";
import type { TargetOrigin } from "./target-origin.ts";
import { targetRefusedCode } from "./target-policy.ts";

/** The way of requests to one origin over HTTP. */
export interface HttpWay {
  readonly scheduler: Scheduler;
  readonly origin: TargetOrigin;
  readonly agents: Readonly<Record<Pool, http.Agent>>;
}

/** The runtime's limit of 16 KiB is below what we accept (event-handlers 8.5). */
const maxHeaderBytes = 65_536;
const empty = new Uint8Array(0);

/** Exchanges requests over HTTP. */
export function httpExchange(way: HttpWay): StartExchange {
  return (request, events) => {
    const exchange = new Exchange(way, events);
    exchange.start(request);
    return () => exchange.abort();
  };
}

class Exchange {
  readonly #way: HttpWay;
  readonly #events: ExchangeEvents;
  #request: ClientRequest | null = null;
  #hasReply = false;
  #isOver = false;
  #cancelTimer: (() => void) | null = null;

  constructor(way: HttpWay, events: ExchangeEvents) {
    this.#way = way;
    this.#events = events;
  }

  start(wire: WireRequest): void {
    const { origin, agents } = this.#way;
    const headers = ["Host", origin.host, ...wire.headers];
    if (wire.body !== null) headers.push("Content-Length", String(wire.bodyBytes));
    let request: ClientRequest;
    try {
      request = (origin.isSecure ? https : http).request({
        agent: agents[wire.pool],
        host: origin.hostname,
        port: origin.port,
        method: wire.method,
        path: wire.path,
        headers,
        setHost: false,
        maxHeaderSize: maxHeaderBytes,
      });
    } catch (error) {
      // The runtime throws on characters that cannot stand in a request; ours are checked before, so this is the net below.
      this.#fail("invalidRequest", error instanceof Error ? error.message : "");
      return;
    }
    this.#request = request;
    request.on("error", (error: NodeJS.ErrnoException) => this.#failed(error));
    request.on("response", (reply) => this.#read(reply));
    request.on("upgrade", () => this.#cut("invalidReply", "the reply switches protocols"));
    // A request that ends without reply and without error, which a switch of protocols can do.
    request.on("close", () => {
      if (!this.#hasReply) this.#fail("network", "the connection was closed");
    });
    request.on("finish", () => {
      if (!this.#isOver) this.#events.sent();
    });
    if (wire.body === null) request.end();
    else request.end(wire.body);
  }

  abort(): void {
    this.#isOver = true;
    this.#cancelTimer?.();
    this.#request?.destroy();
  }

  #read(reply: IncomingMessage): void {
    if (this.#isOver) return;
    this.#hasReply = true;
    const status = reply.statusCode ?? 0;
    const { rawHeaders } = reply;
    const rule = this.#events.head(status, rawHeaders);
    const chunks: Uint8Array[] = [];
    let size = 0;
    const finish = (body: Uint8Array) => this.#done({ kind: "reply", status, rawHeaders, body });
    const giveUp = (cause: FailureCause, detail: string) => {
      if (this.#isOver) return;
      if (rule.isNeeded) this.#cut(cause, detail);
      else {
        finish(empty);
        this.#request?.destroy();
      }
    };
    this.#cancelTimer = this.#way.scheduler.after(rule.timeoutMs, () => giveUp("timeout", "the body took too long"));
    reply.on("data", (chunk: Uint8Array) => {
      size += chunk.length;
      if (size > rule.maxBytes) giveUp("invalidReply", `the body is bigger than ${rule.maxBytes} bytes`);
      else chunks.push(chunk);
    });
    reply.on("end", () => finish(chunks.length === 1 ? (chunks[0] ?? empty) : Buffer.concat(chunks)));
    reply.on("error", () => giveUp("network", "the connection was closed within the body"));
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (error.code === targetRefusedCode) this.#fail("refused", error.message);
    else this.#fail("network", error.code ?? error.message, this.#request?.reusedSocket === true);
  }

  #cut(cause: FailureCause, detail: string): void {
    this.#fail(cause, detail);
    this.#request?.destroy();
  }

  #fail(cause: FailureCause, detail: string, isStale = false): void {
    this.#done({ kind: "failed", cause, detail, isStale });
  }

  #done(result: WireReply | WireFailure): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTimer?.();
    this.#events.done(result);
  }
}
