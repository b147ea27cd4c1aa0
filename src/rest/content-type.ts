/** A parsed `Content-Type`. */
export interface ContentType {
  /** Lower case, without parameters. */
  readonly mediaType: string;
  /** The `charset` parameter as written; null when there is none. */
  readonly charset: string | null;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const mediaTypePattern = new RegExp(`^[ \\t]*(${token}/${token})[ \\t]*`);
const parameterPattern = new RegExp(`[ \\t]*;[ \\t]*(${token})=(?:(${token})|"((?:[^"\\\\]|\\\\.)*)")[ \\t]*`, "y");

/** Parses a `Content-Type` header; null when it is malformed, which also a repeated header is. */
export function parseContentType(header: string): ContentType | null {
  const match = mediaTypePattern.exec(header);
  const mediaType = match?.[1]?.toLowerCase();
  if (match === null || mediaType === undefined) return null;
  let charset: string | null = null;
  let position = match[0].length;
  while (position < header.length) {
    parameterPattern.lastIndex = position;
    const [all, name, bare, quoted] = parameterPattern.exec(header) ?? [];
    if (all === undefined || name === undefined) return null;
    if (name.toLowerCase() === "charset") charset = bare ?? (quoted ?? "").replaceAll(/\\(.)/g, "$1");
    position += all.length;
  }
  return { mediaType, charset };
}

/** How the bytes of a body become text. */
export type TextEncodingChoice = "utf-8" | TextDecoder;

/**
 * Chooses how to read text of a charset: UTF-8 when none is named, otherwise by the labels of the Encoding Standard (so
 * `iso-8859-1` is read as its superset windows-1252). Null: unknown. Bytes that mean nothing become U+FFFD, never an error.
 * @spec R-46
 */
export function chooseTextEncoding(charset: string | null): TextEncodingChoice | null {
  if (charset === null || /^utf-?8$/i.test(charset)) return "utf-8";
  try {
    // The declared labels are a selection; the run-time knows all of the Encoding Standard.
    return new TextDecoder(charset as ConstructorParameters<typeof TextDecoder>[0]);
  } catch {
    return null; // RangeError: no such label
  }
}
