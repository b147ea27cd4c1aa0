const maxTag = 2 ** 32 - 1;
const maxVarintBytes = 10;
/** Fields 1 (type URL) and 2 (value), both length-delimited. */
const typeUrlTag = 0x0a;
const valueTag = 0x12;
/** One for all: making one costs more than most uses of it, and an Any may have very many type URLs (H-13). */
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Whether the bytes are a serialized `google.protobuf.Any`: well-formed fields to the end, a type URL in UTF-8 and a
 * value in bytes. Unknown fields are allowed, groups are not (proto3 has none). The type URL is not resolved and may be
 * absent, which is the default value; zero bytes are therefore an empty Any.
 */
export function isProtobufAny(bytes: Uint8Array): boolean {
  let at = 0;
  while (at < bytes.length) {
    const tagEnd = endOfVarint(bytes, at);
    if (tagEnd < 0) return false;
    const tag = varint(bytes, at, tagEnd);
    if (tag < 8 || tag > maxTag) return false;
    const isOwnField = tag < 24;
    if (isOwnField && tag !== typeUrlTag && tag !== valueTag) return false;
    const end = endOfField(bytes, tagEnd, tag % 8);
    if (end < 0 || end > bytes.length) return false;
    if (tag === typeUrlTag && !isUtf8(bytes.subarray(endOfVarint(bytes, tagEnd), end))) return false;
    at = end;
  }
  return true;
}

/** Offset behind a field's value, perhaps beyond the end of the bytes; -1 when it is malformed. */
function endOfField(bytes: Uint8Array, at: number, wireType: number): number {
  switch (wireType) {
    case 0:
      return endOfVarint(bytes, at);
    case 1:
      return at + 8;
    case 2: {
      const start = endOfVarint(bytes, at);
      return start < 0 ? -1 : start + varint(bytes, at, start);
    }
    case 5:
      return at + 4;
    default:
      return -1;
  }
}

function endOfVarint(bytes: Uint8Array, at: number): number {
  const limit = Math.min(bytes.length, at + maxVarintBytes);
  for (let index = at; index < limit; index++) if ((bytes[index] ?? 0) < 0x80) return index + 1;
  return -1;
}

/** Value of a varint; inexact above 2^53, which is far beyond every tag and length that is accepted. */
function varint(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let index = end - 1; index >= at; index--) value = value * 128 + ((bytes[index] ?? 0) & 0x7f);
  return value;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    utf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
