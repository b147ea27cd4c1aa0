import { parseGroupPattern } from "../core/pattern.ts";

const placeholder = /\{([^{}]*)\}/g;
const secretPlaceholder = /\{@(Env|File)\(([^(){}]+)\)\}/gi;
const notAbsolute = "must be an absolute http, https or tunnel:/// URL";
const scheme = /^(https?:\/\/|tunnel:\/\/\/)/i;
const dotSegment = /\/(?:\.|%2e){1,2}(?=\/|$)/i;

/** A secret named inside a URL template, to be read when the configuration is loaded (event-handlers 2.2). */
export interface TemplateSecret {
  readonly kind: "env" | "file";
  readonly name: string;
}

/**
 * What is wrong with an event handler's URL template, or null. Secrets must already be inserted.
 *
 * Rulings: a placeholder other than `{hub}` and `{event}` is an error that names it.
 * @spec E-4 M-19
 */
export function checkUrlTemplate(template: string): string | null {
  if (!scheme.test(template)) return notAbsolute;
  for (const [whole, name = ""] of template.matchAll(placeholder)) {
    if (/^@Microsoft\.KeyVault\(/i.test(name))
      return "Key Vault references are not supported; use {@Env(NAME)} or {@File(path)}";
    if (!["hub", "event"].includes(name.toLowerCase()))
      return `has the unknown placeholder ${whole}; only {hub} and {event} exist`;
  }
  if (/[{}]/.test(template.replaceAll(placeholder, ""))) return "has an unbalanced brace";
  const authority = /^https?:\/\/([^/?#\\]*)/i.exec(template)?.[1];
  if (/[\s\p{Cc}]/u.test(template)) return "must not contain white space or control characters";
  // URL parsers skip extra slashes, which would make a host of the first path segment.
  if (authority === "") return notAbsolute;
  if (authority !== undefined && /[{}]/.test(authority)) return "must not have a placeholder in the host";
  if (authority?.includes("@") === true) return "must not contain a user name or password";
  if (template.includes("#")) return "must not have a fragment";
  // The rest goes on the request line as it is written.
  const rest = template.replace(/^[a-z]+:\/\/[^/?]*/i, "");
  if (/[^!-~]/.test(rest)) return "must have a percent-encoded path and query";
  if (dotSegment.test(rest.split("?", 1)[0] ?? "")) return "must not have . or .. as a path segment";
  return URL.canParse(template.replaceAll(placeholder, "x")) ? null : notAbsolute;
}

/** Whether events for this URL go through a tunnel that the application opened. */
export function isTunnel(template: string): boolean {
  return /^tunnel:\/\/\//i.test(template);
}

/**
 * Replaces `{@Env(NAME)}` and `{@File(path)}` by what `read` returns, inserted raw: a secret is a part of the URL as written.
 *
 * `read` returns null for a secret it cannot give; the placeholder then stays and `checkUrlTemplate` refuses the template.
 */
export function insertTemplateSecrets(template: string, read: (secret: TemplateSecret) => string | null): string {
  return template.replaceAll(secretPlaceholder, (whole, kind: string, name: string) => {
    return read({ kind: kind.toLowerCase() === "env" ? "env" : "file", name: name.trim() }) ?? whole;
  });
}

const wildcard = /[*?\\]/;

/**
 * What is wrong with a `userEventPattern`, or null. Inside an item `*`, `?` and `\` need `globs`; `!` has no meaning anywhere.
 * @spec E-6
 */
export function checkUserEventPattern(pattern: string, globs: boolean): string | null {
  if (pattern.trim() === "*") return null;
  if (pattern.includes("!")) return "must not contain !, patterns cannot be negated";
  if (!globs && wildcard.test(pattern)) {
    return "must be * or plain event names separated by commas (globs need compat.globEventPatterns)";
  }
  const isUsable = pattern.split(",").every((raw) => {
    const item = raw.trim();
    return !wildcard.test(item) || parseGroupPattern(item) !== null;
  });
  return isUsable ? null : "has an item that is no pattern as in wildcard group roles";
}
