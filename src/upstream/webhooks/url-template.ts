import { type TargetOrigin, targetOrigin } from "./target-origin.ts";

/** A parsed `urlTemplate`. */
export interface UrlTemplate {
  readonly origin: TargetOrigin;
  /**
   * Path and query with `{hub}` and `{event}` replaced in one pass, percent-encoded. Null when an inserted value is empty,
   * `.` or `..`: receivers that normalise would walk up the path (E-3).
   */
  resolve(hub: string, event: string): string | null;
}

const shape = /^https?:\/\/([^/?#\\]+)([^#]*)$/i;
const placeholder = /\{([^{}]*)\}/g;
const dotSegment = /\/(?:\.|%2e){1,2}(?=\/|$)/i;
const unreserved = /^[A-Za-z0-9_.~-]*$/;

/**
 * Parses a template, secrets inserted. Returns what is wrong as text that names no part of the URL but placeholders.
 *
 * Path and query are kept exactly as written, so they must be printable ASCII. `tunnel:///` is refused: there is no tunnel.
 * @spec E-1 E-2 E-3 E-4
 */
export function parseUrlTemplate(source: string): UrlTemplate | string {
  if (/^tunnel:\/\/\//i.test(source)) return "tunnel:/// handlers are not supported";
  const [, authority, rest] = shape.exec(source) ?? [];
  if (authority === undefined || rest === undefined) return "must be an absolute http or https URL without fragment";
  if (authority.includes("@")) return "must not contain a user name or password";
  if (/[{}]/.test(authority)) return "must not have a placeholder in the host";
  for (const [whole, name = ""] of rest.matchAll(placeholder)) {
    if (!/^(?:hub|event)$/i.test(name)) return `has the unknown placeholder ${whole}; only {hub} and {event} exist`;
  }
  if (/[^!-~]/.test(rest)) return "must have a percent-encoded path and query";
  if (dotSegment.test(rest.split("?", 1)[0] ?? "")) return "must not have . or .. as a path segment";
  const url = source.slice(0, source.length - rest.length);
  const origin = URL.canParse(url) ? targetOrigin(new URL(url)) : null;
  if (origin === null) return "must be an absolute http or https URL without fragment";
  // Literal text at even places, placeholder names at odd ones.
  const parts = (rest.startsWith("/") ? rest : `/${rest}`).split(/\{(hub|event)\}/i);
  const isHub = parts.map((part) => part.toLowerCase() === "hub");
  return {
    origin,
    resolve(hub, event) {
      let path = parts[0] ?? "";
      for (let index = 1; index < parts.length; index += 2) {
        const value = isHub[index] === true ? hub : event;
        if (value === "" || value === "." || value === "..") return null; // E-3
        path += escapeData(value) + (parts[index + 1] ?? "");
      }
      return path;
    },
  };
}

/** Percent-encodes UTF-8, leaving only `A-Z a-z 0-9 - _ . ~`; `encodeURIComponent` would leave `!'()*` too (E-2). */
export function escapeData(value: string): string {
  if (unreserved.test(value)) return value;
  return encodeURIComponent(value.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
