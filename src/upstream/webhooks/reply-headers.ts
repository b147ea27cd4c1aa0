/** The headers of a reply that mean something to us, read in one pass over the raw lines. */
export interface ReplyHeaders {
  /** All of them: `[name, value, …]`. */
  readonly lines: readonly string[];
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  readonly location: string | null;
  /** Value of the last `ce-connectionState` line; null when there is none. */
  readonly connectionState: string | null;
  readonly setCookies: readonly string[];
  /** `WebHook-Allowed-Origin` lines. */
  readonly allowedOrigins: readonly string[];
  /** `x-webpubsub-metadata-*` lines: key lower-cased, without prefix. */
  readonly metadata: readonly (readonly [key: string, value: string])[];
}

const metadataPrefix = "x-webpubsub-metadata-";

/** Reads `[name, value, name, value …]`; repeated lines stay apart, as the merged form of Node would not show them. */
export function readReplyHeaders(raw: readonly string[]): ReplyHeaders {
  let contentType: string | null = null;
  let contentEncoding: string | null = null;
  let location: string | null = null;
  let connectionState: string | null = null;
  const setCookies: string[] = [];
  const allowedOrigins: string[] = [];
  const metadata: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? "").toLowerCase();
    const value = raw[index + 1] ?? "";
    if (name === "content-type") contentType = value;
    else if (name === "content-encoding") contentEncoding = value;
    else if (name === "location") location = value;
    else if (name === "ce-connectionstate") connectionState = value;
    else if (name === "set-cookie") setCookies.push(value);
    else if (name === "webhook-allowed-origin") allowedOrigins.push(value);
    else if (name.startsWith(metadataPrefix)) metadata.push([name.slice(metadataPrefix.length), value]);
  }
  return { lines: raw, contentType, contentEncoding, location, connectionState, setCookies, allowedOrigins, metadata };
}
