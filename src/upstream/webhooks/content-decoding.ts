import zlib from "node:zlib";

type Decode = (
  body: Uint8Array,
  options: { maxOutputLength: number },
  callback: (error: Error | null, result: Buffer) => void,
) => void;

/**
 * Undoes a `Content-Encoding`: gzip, deflate (with or without zlib wrapper), br or identity. Null for any other, for a
 * broken body and for one that decodes to more than `maxBytes` (E-70).
 */
export async function decodeContent(body: Uint8Array, encoding: string, maxBytes: number): Promise<Uint8Array | null> {
  const name = encoding.trim().toLowerCase();
  if (name === "" || name === "identity" || body.length === 0) return body;
  const decode = decoder(name, body);
  if (decode === null) return null;
  return await new Promise((resolve) => {
    decode(body, { maxOutputLength: maxBytes }, (error, result) => resolve(error === null ? result : null));
  });
}

function decoder(name: string, body: Uint8Array): Decode | null {
  switch (name) {
    case "gzip":
    case "x-gzip":
      return zlib.gunzip;
    case "deflate":
      // Some servers send raw deflate; a zlib header has 8 in its low four bits.
      return ((body[0] ?? 0) & 0x0f) === 8 ? zlib.inflate : zlib.inflateRaw;
    case "br":
      return zlib.brotliDecompress;
    default:
      return null;
  }
}
