import type { HubName } from "../../core/names.ts";
import type { Caller } from "../../core/ports.ts";
import type { TunnelMessage, TunnelRequest } from "../../tunnel/messages.ts";

/** A REST call that came through a tunnel, whose authority over its hub is established. */
export interface TunnelCall {
  readonly request: Request;
  /** Raw path and raw query. */
  readonly path: string;
  readonly query: string;
  readonly hub: HubName;
  /** Who opened the tunnel. */
  readonly caller: Caller;
}

/** The REST API. Never rejects; the order of what calls publish is fixed when it resolves. */
export type TunnelRest = (call: TunnelCall) => Response | Promise<Response>;

interface RestCallsOptions {
  readonly hub: HubName;
  readonly caller: Caller;
  readonly rest: TunnelRest;
  answer(message: TunnelMessage): void;
  failed(error: unknown): void;
}

/** Content of one answer frame (specification: tunnel 12). */
const maxPartBytes = 524_288;
/** Calls that may wait for the ones before them; ours, far above what an application has on its way. */
const maxWaiting = 10_000;
const maxWaitingBytes = 33_554_432;
const bodyless = new Set(["GET", "HEAD"]);
const none = new Uint8Array(0);

/** The REST calls of one tunnel socket, carried out in order of arrival: the order of messages depends on it (T-27). */
export class RestCalls {
  readonly #options: RestCallsOptions;
  #waiting: TunnelRequest[] = [];
  #waitingBytes = 0;
  #isRunning = false;
  #isClosed = false;

  constructor(options: RestCallsOptions) {
    this.#options = options;
  }

  /** Carries the call out after those before it. Every call is answered unless the socket ends. */
  add(call: TunnelRequest): void {
    if (this.#waiting.length >= maxWaiting || this.#waitingBytes + call.body.length > maxWaitingBytes) {
      void this.#answer(call, plain(429, "Too many calls are waiting.")).catch((error: unknown) =>
        this.#options.failed(error),
      );
      return;
    }
    this.#waiting.push(call);
    this.#waitingBytes += call.body.length;
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#run();
  }

  /** The socket is gone: what waits is dropped. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      for (const call of batch) {
        this.#waitingBytes -= call.body.length;
        if (this.#isClosed) break;
        try {
          await this.#answer(call, await this.#execute(call));
        } catch (error) {
          this.#options.failed(error);
          await this.#answer(call, plain(500, ""));
        }
      }
    }
    this.#isRunning = false;
  }

  #execute(call: TunnelRequest): Response | Promise<Response> {
    // The host is a placeholder of the SDK, and the scheme may be any.
    const url = URL.canParse(call.url) ? new URL(call.url) : null;
    const request = url === null ? null : requestOf(call);
    if (url === null || request === null) return plain(400, "The request is invalid.");
    const { hub, caller, rest } = this.#options;
    return rest({ request, path: url.pathname, query: url.search.slice(1), hub, caller });
  }

  async #answer({ ackId, routing }: TunnelRequest, response: Response): Promise<void> {
    const { status } = response;
    const headers = [...response.headers].flat();
    const body = response.body === null ? none : await response.bytes();
    let at = 0;
    do {
      const part = body.subarray(at, at + maxPartBytes);
      at += maxPartBytes;
      const isPartial = at < body.length;
      this.#options.answer({ type: "response", ackId, status, headers, routing, isPartial, body: part });
    } while (at < body.length);
  }
}

/** Null for what HTTP does not allow. */
function requestOf({ method, headers, body }: TunnelRequest): Request | null {
  try {
    const list = new Headers();
    for (let at = 0; at + 1 < headers.length; at += 2) list.append(headers[at] ?? "", headers[at + 1] ?? "");
    list.set("content-length", String(body.length));
    const content = bodyless.has(method.toUpperCase()) ? null : Uint8Array.from(body);
    return new Request("http://host/", { method, headers: list, body: content });
  } catch {
    return null; // a method or header that cannot be
  }
}

function plain(status: number, text: string): Response {
  return new Response(text, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
}
