/** The parts of a connection string that the service reads. */
export interface ConnectionString {
  /** Absolute URL without trailing slash, `Port` applied. */
  readonly endpoint: string;
  readonly accessKey: string;
}

export type ParsedConnectionString =
  | { readonly ok: true; readonly value: ConnectionString }
  | { readonly ok: false; readonly message: string };

/**
 * Writes a connection string as all SDKs read it: no blanks, each key once, no slash after the host.
 * @spec M-1 M-3
 * @example formatConnectionString({ endpoint: "https://pubsub.example.com", accessKey }) // Endpoint=https://pubsub.example.com;AccessKey=…;Version=1.0;
 */
export function formatConnectionString(parts: ConnectionString): string {
  return `Endpoint=${parts.endpoint.replace(/\/+$/, "")};AccessKey=${parts.accessKey};Version=1.0;`;
}

/**
 * Reads a connection string by the rules of the .NET SDK: names in any case and order, blanks trimmed, a value may hold `=`,
 * unknown names ignored, a repeated name refused, `Port` replaces the port, an endpoint without scheme is `http`.
 *
 * Messages never repeat a value.
 * @spec M-9
 */
export function parseConnectionString(text: string): ParsedConnectionString {
  const parts = new Map<string, string>();
  for (const pair of text.split(";")) {
    const equals = pair.indexOf("=");
    if (equals < 0) continue;
    const name = pair.slice(0, equals).trim();
    if (parts.has(name.toLowerCase())) return failed(`has ${name} twice`);
    parts.set(name.toLowerCase(), pair.slice(equals + 1).trim());
  }
  if (!parts.has("accesskey") && !parts.has("endpoint"))
    return failed("is not a connection string (Endpoint=…;AccessKey=…;)");
  const accessKey = parts.get("accesskey") ?? "";
  if (accessKey === "") return failed("has no AccessKey");
  const endpoint = endpointOf(parts.get("endpoint") ?? "", parts.get("port"));
  return typeof endpoint === "string" ? failed(endpoint) : { ok: true, value: { endpoint: endpoint.url, accessKey } };
}

function endpointOf(raw: string, port: string | undefined): { readonly url: string } | string {
  if (raw === "") return "has no Endpoint";
  const absolute = raw.includes("://") ? raw : `http://${raw}`;
  if (!/^https?:\/\//i.test(absolute) || !URL.canParse(absolute))
    return "has an Endpoint that is not an http or https URL";
  const url = new URL(absolute);
  if (port !== undefined) {
    const number = /^[0-9]{1,5}$/.test(port) ? Number(port) : 0;
    if (number < 1 || number > 65_535) return "has a Port that is not a number from 1 to 65535";
    url.port = port;
  }
  return { url: `${url.origin}${url.pathname.replace(/\/+$/, "")}` };
}

function failed(message: string): ParsedConnectionString {
  return { ok: false, message };
}
