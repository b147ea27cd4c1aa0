/** Scheme, host and port that requests of a handler go to. */
export interface TargetOrigin {
  readonly isSecure: boolean;
  /** Normalised, without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** Value of the `Host` header. */
  readonly host: string;
  /** `https://host:port`, without the scheme's default port. */
  readonly href: string;
}

/** Returns the origin of an absolute http or https URL, or null for any other. */
export function targetOrigin(url: URL): TargetOrigin | null {
  if (url.protocol !== "http:" && url.protocol !== "https:") return null;
  const isSecure = url.protocol === "https:";
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? (isSecure ? 443 : 80) : Number(url.port);
  return { isSecure, hostname, port, host: url.host, href: `${url.protocol}//${url.host}` };
}
