import { isIP } from "node:net";

/** A name a certificate is made for. */
export type CertificateName =
  | { readonly kind: "dns"; readonly value: string }
  | { readonly kind: "ip"; readonly value: string };

/**
 * Reads a host name, a wildcard name such as `*.example.com` or an IP address (IPv6 also in brackets), in the form in which
 * certificates compare: lower case, shortest IPv6 text. Null when the text is none of these.
 */
export function parseCertificateName(text: string): CertificateName | null {
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  const version = isIP(bare);
  if (version === 4) return { kind: "ip", value: bare };
  if (version === 6)
    return bare.includes("%") ? null : { kind: "ip", value: new URL(`http://[${bare}]/`).hostname.slice(1, -1) };
  const name = text.toLowerCase();
  const isName = name.length <= 253 && /^(\*\.)?[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*$/.test(name);
  return isName ? { kind: "dns", value: name } : null;
}

/** A comparable text for a set of names; order and repetition do not matter. */
export function namesKey(names: readonly CertificateName[]): string {
  return [...new Set(names.map(({ kind, value }) => `${kind}:${value}`))].sort().join(" ");
}

/** Reads the names of a certificate from the text Node gives for them; entries of other kinds are left out. */
export function parseSubjectAltName(text: string | undefined): readonly CertificateName[] {
  const names: CertificateName[] = [];
  for (const entry of (text ?? "").split(", ")) {
    const value = /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1];
    const name = value === undefined ? null : parseCertificateName(value);
    if (name !== null) names.push(name);
  }
  return names;
}
