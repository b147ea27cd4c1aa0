import type { Caller } from "../core/ports.ts";

/** Who forwarded what is believed. */
export interface CallerSettings {
  isTrustedProxy(address: string): boolean;
}

/**
 * Works out who sends a request and how they see this service. Forwarding headers count only from a trusted proxy
 * (M-33, M-39); of a chain, the last address a trusted proxy did not add itself.
 */
export function resolveCaller(
  headers: Headers,
  peer: { readonly address: string; readonly isSecure: boolean; readonly certificate: Caller["certificate"] },
  settings: CallerSettings,
): Caller {
  const host = headers.get("host") ?? "";
  const scheme = peer.isSecure ? "https" : "http";
  const direct: Caller = { address: peer.address, scheme, host, audienceHosts: [host], certificate: peer.certificate };
  if (!settings.isTrustedProxy(peer.address)) return direct;
  const forwarded = readForwarded(headers, settings);
  const forwardedHost = withPort(forwarded.host, forwarded.port);
  return {
    ...direct,
    address: forwarded.address ?? peer.address,
    scheme: forwarded.scheme === "https" || forwarded.scheme === "http" ? forwarded.scheme : scheme,
    host: forwardedHost ?? host,
    audienceHosts: forwardedHost === null ? [host] : [host, forwardedHost],
    // A certificate shown here is the proxy's own.
    certificate: null,
  };
}

/** What the outermost trusted proxy says of the request it took. */
interface Forwarded {
  readonly address: string | null;
  readonly scheme: string | null;
  readonly host: string | null;
  readonly port: string | null;
}

/** Reads `Forwarded` (RFC 7239), or else the `X-Forwarded-…` family. What stands before the trusted hop is hearsay. */
function readForwarded(headers: Headers, settings: CallerSettings): Forwarded {
  const standard = headers.get("forwarded");
  if (standard !== null) {
    const hops = standard.split(",").map(readHop);
    const addresses = hops.map((hop) => bareAddress(hop.get("for") ?? ""));
    const hop = hops[hops.length - 1 - hopsBehindClient(addresses, settings)];
    const address = bareAddress(hop?.get("for") ?? "");
    return {
      address: address === "" ? null : address,
      scheme: hop?.get("proto")?.toLowerCase() ?? null,
      host: hop?.get("host") ?? null,
      port: null,
    };
  }
  const list = (name: string): string[] =>
    (headers.get(name) ?? "")
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
  const addresses = list("x-forwarded-for").map(bareAddress);
  const behind = hopsBehindClient(addresses, settings);
  // Not every proxy adds to every list; the first item is then the one that the outermost wrote.
  const item = (items: readonly string[]): string | null => items[Math.max(0, items.length - 1 - behind)] ?? null;
  return {
    address: item(addresses),
    scheme: item(list("x-forwarded-proto"))?.toLowerCase() ?? null,
    host: item(list("x-forwarded-host")),
    port: item(list("x-forwarded-port")),
  };
}

/** How many trusted proxies of the chain stand between the client's address and the peer. */
function hopsBehindClient(addresses: readonly string[], settings: CallerSettings): number {
  let behind = 0;
  while (behind < addresses.length - 1 && settings.isTrustedProxy(addresses[addresses.length - 1 - behind] ?? ""))
    behind += 1;
  return behind;
}

function readHop(text: string): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const pair of text.split(";")) {
    const equals = pair.indexOf("=");
    if (equals < 0) continue;
    const value = pair.slice(equals + 1).trim();
    pairs.set(pair.slice(0, equals).trim().toLowerCase(), value.startsWith('"') ? value.slice(1, -1) : value);
  }
  return pairs;
}

/** Drops the port of `192.0.2.7:4711` and the brackets of `[2001:db8::1]:4711`. */
function bareAddress(text: string): string {
  if (text.startsWith("[")) return text.slice(1, text.indexOf("]"));
  return text.split(":").length === 2 ? (text.split(":")[0] ?? "") : text;
}

function withPort(host: string | null, port: string | null): string | null {
  if (host === null || port === null || !/^\d{1,5}$/.test(port) || /:\d+$/.test(host)) return host;
  return port === "80" || port === "443" ? host : `${host}:${port}`;
}
