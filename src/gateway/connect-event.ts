import type { ConnectEvent, UpgradeRequest } from "../core/ports.ts";
import type { ClientRequest } from "./client-request.ts";

/** Header names a client's handshake may carry that never leave the service (E-34). */
const privateHeader = /^(?:authorization$|x-asrs-internal-)/i;

/** Builds what the `connect` handler is told of a handshake (event-handlers 6.1, E-34). */
export function connectEvent(
  request: UpgradeRequest,
  client: ClientRequest,
  identity: { readonly claims: ConnectEvent["claims"]; readonly subprotocols: readonly string[] },
): ConnectEvent {
  const query: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of client.parameters) {
    if (name.toLowerCase() !== "access_token") (query[name] ??= []).push(value);
  }
  const headers: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of request.headers) {
    if (!privateHeader.test(name)) headers[headerCase(name)] = [withoutToken(value)];
  }
  return {
    claims: identity.claims,
    query,
    headers,
    subprotocols: identity.subprotocols,
    clientCertificates: request.caller.certificate === null ? [] : [request.caller.certificate],
  };
}

/** The runtime lower-cases header names; handlers look them up in the usual spelling (`User-Agent`, `X-Custom`). */
function headerCase(name: string): string {
  if (name.startsWith("sec-websocket-")) return `Sec-WebSocket-${headerCase(name.slice("sec-websocket-".length))}`;
  return name.replace(/(^|-)([a-z])/g, (_match, dash: string, letter: string) => dash + letter.toUpperCase());
}

/** A page's `Referer` can hold the URL with the token in it (H-55). */
function withoutToken(value: string): string {
  return value.replace(/(access_token=)[^&\s]*/gi, "$1");
}
