/** Headers as `[name, value, name, value, …]`; a repeated name stands for several values. */
export type HeaderList = readonly string[];

/** Routing hints of whoever asked; an answer repeats them unchanged. */
export interface Routing {
  readonly local: boolean;
  readonly channel: string;
}

/** An HTTP request: an event on its way to the application, or a REST call on its way to the service. */
export interface TunnelRequest {
  readonly type: "request";
  /** Pairs request and response; each direction counts on its own. */
  readonly ackId: number;
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  readonly headers: HeaderList;
  readonly routing: Routing;
  /** Empty: no body. */
  readonly body: Uint8Array;
}

/** The answer to a request, or a part of it: status and headers count in the first part only. */
export interface TunnelResponse {
  readonly type: "response";
  readonly ackId: number;
  readonly status: number;
  readonly headers: HeaderList;
  readonly routing: Routing;
  /** True: more parts follow. */
  readonly isPartial: boolean;
  readonly body: Uint8Array;
}

/** Asks the application to move this connection (`reconnect`) or to open one more (`rebalance`). */
export interface TunnelMove {
  readonly type: "reconnect" | "rebalance";
  /** Goes back as `target` in the query of the new connection. */
  readonly targetId: string | null;
  /** Base URL to connect to; null: the one configured. */
  readonly endpoint: string | null;
  readonly text: string;
}

/** A message of the tunnel protocol (specification: tunnel, section 4). All but requests come from the service alone, or as answers. */
export type TunnelMessage =
  | TunnelRequest
  | TunnelResponse
  | TunnelMove
  /** `status`: for logs; `close`: the application must not come back. */
  | { readonly type: "status" | "close"; readonly text: string }
  /** The first message on every connection. */
  | { readonly type: "connected"; readonly connectionId: string; readonly userId: string | null };
