import type { Caller } from "../core/ports.ts";

/** Who forwarded what is believed. */
export interface CallerSettings {
  isTrustedProxy(address: string): boolean;
}

/**
 * Works out who sends a request and how they see this service. Forwarding headers count only from a trusted proxy
 * (M-33, M-39); of a chain, the last address a trusted proxy did not add itself.
 */
export function resolveCaller(headers: Headers, peer: { readonly address: string; readonly isSecure: boolean }, settings: CallerSettings): Caller {
  const host = headers.get("host") ?? "";
  const scheme = peer.isSecure ? "https" : "http";
  const direct: Caller = { address: peer.address, scheme, host, audienceHosts: [host], certificate: null };
  if (!settings.isTrustedProxy(peer.address)) return direct;
  const forwarded = readForwarded(headers);
  const forwardedHost = withPort(forwarded.host, forwarded.port);
  return {
    ...direct,
    address: clientAddress(forwarded.addresses, settings) ?? peer.address,
    scheme: forwarded.scheme === "https" || forwarded.scheme === "http" ? forwarded.scheme : scheme,
    host: forwardedHost ?? host,
    audienceHosts: forwardedHost === null ? [host] : [host, forwardedHost],
    certificate: null,
  };
}

interface Forwarded {
  readonly addresses: readonly string[];
  readonly scheme: string | null;
  readonly host: string | null;
  readonly port: string | null;
}

/** Reads `Forwarded` (RFC 7239), or else the `X-Forwarded-…` family. */
function readForwarded(headers: Headers): Forwarded {
  const standard = headers.get("forwarded");
  if (standard !== null) {
    const hops = standard.split(",").map(readHop);
    const [first] = hops;
    const addresses = hops.flatMap((hop) => (hop.has("for") ? [bareAddress(hop.get("for") ?? "")] : []));
    return { addresses, scheme: first?.get("proto")?.toLowerCase() ?? null, host: first?.get("host") ?? null, port: null };
  }
  const list = (name: string): string[] => (headers.get(name) ?? "").split(",").map((item) => item.trim()).filter((item) => item !== "");
  return {
    addresses: list("x-forwarded-for").map(bareAddress),
    scheme: list("x-forwarded-proto")[0]?.toLowerCase() ?? null,
    host: list("x-forwarded-host")[0] ?? null,
    port: list("x-forwarded-port")[0] ?? null,
  };
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

function clientAddress(addresses: readonly string[], settings: CallerSettings): string | null {
  for (let index = addresses.length - 1; index >= 0; index--) {
    const address = addresses[index] ?? "";
    if (index === 0 || !settings.isTrustedProxy(address)) return address;
  }
  return null;
}

function withPort(host: string | null, port: string | null): string | null {
  if (host === null || port === null || !/^\d{1,5}$/.test(port) || /:\d+$/.test(host)) return host;
  return port === "80" || port === "443" ? host : `${host}:${port}`;
}
