import { type TargetOrigin, targetOrigin } from "./target-origin.ts";

/** A parsed `urlTemplate`. */
export interface UrlTemplate {
  /** Null: through a tunnel. */
  readonly origin: TargetOrigin | null;
  /** What stands in front of the path. */
  readonly href: string;
  /**
   * Path and query with `{hub}` and `{event}` replaced in one pass, percent-encoded. Null when an inserted value is empty,
   * `.` or `..`: receivers that normalise would walk up the path (E-3).
   */
  readonly resolve: (hub: string, event: string) => string | null;
}

/** A tunnel has no host, and so no authority. */
const shape = /^(?:https?:\/\/([^/?#\\]+)|tunnel:\/\/(?=\/))([^#]*)$/i;
const notAbsolute = "must be an absolute http, https or tunnel:/// URL without fragment";
const placeholder = /\{([^{}]*)\}/g;
const dotSegment = /\/(?:\.|%2e){1,2}(?=\/|$)/i;
const unreserved = /^[A-Za-z0-9_.~-]*$/;

/**
 * Parses a template, secrets inserted. Returns what is wrong as text that names no part of the URL but placeholders.
 *
 * Path and query are kept exactly as written, so they must be printable ASCII.
 * @spec E-1 E-2 E-3 E-4
 */
export function parseUrlTemplate(source: string): UrlTemplate | string {
  const [whole, authority = "", rest] = shape.exec(source) ?? [];
  if (whole === undefined || rest === undefined) return notAbsolute;
  if (authority.includes("@")) return "must not contain a user name or password";
  if (/[{}]/.test(authority)) return "must not have a placeholder in the host";
  for (const [found, name = ""] of rest.matchAll(placeholder)) {
    if (!/^(?:hub|event)$/i.test(name)) return `has the unknown placeholder ${found}; only {hub} and {event} exist`;
  }
  if (/[^!-~]/.test(rest)) return "must have a percent-encoded path and query";
  if (dotSegment.test(rest.split("?", 1)[0] ?? "")) return "must not have . or .. as a path segment";
  const resolve = resolver(rest.startsWith("/") ? rest : `/${rest}`);
  if (authority === "") return { origin: null, href: tunnelHref, resolve };
  const url = source.slice(0, source.length - rest.length);
  const origin = URL.canParse(url) ? targetOrigin(new URL(url)) : null;
  return origin === null ? notAbsolute : { origin, href: origin.href, resolve };
}

function resolver(template: string): UrlTemplate["resolve"] {
  // Literal text at even places, placeholder names at odd ones.
  const parts = template.split(/\{(hub|event)\}/i);
  const isHub = parts.map((part) => part.toLowerCase() === "hub");
  return (hub, event) => {
    let path = parts[0] ?? "";
    for (let index = 1; index < parts.length; index += 2) {
      const value = isHub[index] === true ? hub : event;
      if (value === "" || value === "." || value === "..") return null; // E-3
      path += escapeData(value) + (parts[index + 1] ?? "");
    }
    return path;
  };
}

/** In front of the path of tunnelled requests, which have no host. */
export const tunnelHref = "tunnel://";

/** Percent-encodes UTF-8, leaving only `A-Z a-z 0-9 - _ . ~`; `encodeURIComponent` would leave `!'()*` too (E-2). */
export function escapeData(value: string): string {
  if (unreserved.test(value)) return value;
  return encodeURIComponent(value.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
