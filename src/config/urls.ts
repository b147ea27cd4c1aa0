/** Where a listener waits for connections. */
export interface ListenAddress {
  readonly scheme: "http" | "https";
  /** Host name or IP address without brackets. */
  readonly hostname: string;
  /** 0: the system chooses a free port. */
  readonly port: number;
}

const schemes = { "http:": "http", "https:": "https" } as const;

/**
 * Reads a listen URL: `http://localhost:8080`, `https://[::]:8443`; `*` and `+` as host mean every IPv4 address, as in .NET.
 *
 * Returns what is wrong as text; a path, a query and user information have no meaning here and are refused.
 */
export function parseListenUrl(raw: string): ListenAddress | string {
  const url = parseUrl(raw.replace(/^(https?:\/\/)[*+](?=[:/]|$)/i, (_match, scheme: string) => `${scheme}0.0.0.0`));
  if (url === null || !(url.protocol in schemes))
    return "must be a URL such as http://localhost:8080 or https://0.0.0.0:8443";
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "" || hasUserinfo(url)) {
    return "must be scheme, host and port only (for a path use service.pathBase)";
  }
  const scheme = schemes[url.protocol as keyof typeof schemes];
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  return { scheme, hostname, port: portOf(url, scheme) };
}

/** The URL of a listener as a client writes it. */
export function formatListenUrl(address: ListenAddress): string {
  const host = address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname;
  return `${address.scheme}://${host}:${address.port}`;
}

/** Whether a host is reachable from this machine only: `localhost`, 127.0.0.0/8, `::1`. */
export function isLoopbackHost(hostname: string): boolean {
  const bare = hostname.toLowerCase().replace(/^\[|\]$/g, "");
  return bare === "localhost" || bare === "::1" || /^127(?:\.[0-9]{1,3}){3}$/.test(bare);
}

/** What is wrong with an absolute http or https URL, or null. User information would end up in logs and is refused. */
export function checkHttpUrl(raw: string): string | null {
  const url = parseUrl(raw);
  if (url === null || !(url.protocol in schemes)) return "must be an absolute http or https URL";
  return hasUserinfo(url) ? "must not contain a user name or password" : null;
}

/** What is wrong with a public endpoint taken alone, or null; its path is judged together with the path base. */
export function checkPublicEndpoint(raw: string): string | null {
  const url = parseUrl(raw);
  if (url === null || !(url.protocol in schemes)) return "must be an absolute http or https URL";
  if (hasUserinfo(url)) return "must not contain a user name or password";
  return raw.includes("?") || raw.includes("#") ? "must not have a query or fragment" : null;
}

/** What is wrong with an origin of an allow-list, or null: `*` or scheme, host and port as browsers send them. */
export function checkOrigin(raw: string): string | null {
  if (raw === "*") return null;
  const url = parseUrl(raw);
  const isOrigin =
    url !== null &&
    url.protocol in schemes &&
    raw.toLowerCase().replace(/:(?:80|443)$/, "") === url.origin.replace(/:(?:80|443)$/, "");
  return isOrigin ? null : "must be * or an origin such as https://app.example.com, without path";
}

function parseUrl(raw: string): URL | null {
  return raw.trim() === raw && URL.canParse(raw) ? new URL(raw) : null;
}

function hasUserinfo(url: URL): boolean {
  return url.username !== "" || url.password !== "";
}

function portOf(url: URL, scheme: ListenAddress["scheme"]): number {
  if (url.port !== "") return Number(url.port);
  return scheme === "https" ? 443 : 80;
}
