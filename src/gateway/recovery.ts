import type { ReconnectionTokens } from "../auth/reconnection-tokens.ts";
import { parseConnectionId } from "../core/names.ts";
import type { SocketEvents, UpgradeDecision, UpgradeRequest } from "../core/ports.ts";
import type { Service } from "../core/service.ts";
import { parseOffers } from "../protocols/registry.ts";
import type { ClientRequest } from "./client-request.ts";
import { lastParameter } from "./client-request.ts";
import type { Session } from "./session.ts";

const refusal = { code: 1008, reason: "The connection could not be recovered." } as const;
const deaf: SocketEvents = { frame() {}, drained() {}, alive() {}, closed() {} };

/** What recovery needs; `sessionOf` finds the session of a connection that was opened here. */
export interface RecoveryOptions {
  readonly service: Service;
  readonly tokens: ReconnectionTokens;
  sessionOf(connection: object): Session | null;
}

/** The id of the connection that a handshake wants to recover; null for an ordinary handshake. */
export function recoveredId(client: ClientRequest): string | null {
  return lastParameter(client.parameters, "awps_connection_id");
}

/**
 * Answers a recovery (client-protocols 8.4): no access token, no `connect` event. A refused one is upgraded too and then
 * closed with 1008, the only sign that makes SDKs give up (C-77); it never harms the real connection.
 */
export function recover(options: RecoveryOptions, request: UpgradeRequest, client: ClientRequest): UpgradeDecision {
  const { service, tokens } = options;
  const offers = parseOffers(request.headers.get("sec-websocket-protocol"));
  const id = parseConnectionId(recoveredId(client) ?? "");
  const token = lastParameter(client.parameters, "awps_reconnection_token") ?? "";
  const isProven = id !== null && tokens.isValid(id, token);
  const found = isProven ? service.recoverable(client.hub, id) : null;
  const original = offers.find((offer) => offer.toLowerCase() === found?.subprotocol);
  return {
    accept: true,
    // The original protocol is spoken whatever is offered; the header can only name what was (C-90).
    subprotocol: found === null ? (offers[0] ?? null) : (original ?? null),
    open(sink) {
      const session = found === null ? null : options.sessionOf(found);
      if (found !== null && session !== null && service.attach(found, sink)) return session.eventsOf(sink);
      sink.close(refusal.code, refusal.reason);
      return deaf;
    },
    abandoned() {},
  };
}
