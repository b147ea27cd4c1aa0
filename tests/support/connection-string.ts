/** The parts of a connection string that tests use. */
export interface ConnectionString {
  /** Without trailing slash; `Port` is already in it. */
  readonly endpoint: string;
  readonly accessKey: string;
}

/** Reads a connection string; throws if endpoint or key are missing. */
export function parseConnectionString(text: string): ConnectionString {
  const parts = new Map<string, string>();
  for (const part of text.split(";")) {
    const equals = part.indexOf("=");
    if (equals > 0) parts.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim());
  }
  const [endpoint, accessKey, port] = ["endpoint", "accesskey", "port"].map((name) => parts.get(name));
  if (endpoint === undefined || accessKey === undefined)
    throw new Error("not a connection string with Endpoint and AccessKey");
  const url = new URL(endpoint);
  if (port !== undefined) url.port = port;
  return { endpoint: url.href.replace(/\/$/, ""), accessKey };
}
