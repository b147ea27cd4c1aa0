/**
 * Whether bytes are a serialized `google.protobuf.Any`: well-formed fields, of which 1 is UTF-8 text and 2 is bytes.
 * Unknown fields are allowed, groups are not; the type is not resolved.
 */
export function isProtobufAny(bytes: Uint8Array): boolean {
  let at = 0;
  while (at < bytes.length) {
    const tag = readVarint(bytes, at);
    if (tag === null || tag.value > 0xffff_ffff) return false;
    at = tag.next;
    const field = Math.floor(tag.value / 8);
    const wireType = tag.value % 8;
    if (field === 0 || ((field === 1 || field === 2) && wireType !== 2)) return false;
    const end = skipValue(bytes, at, wireType);
    if (end === null) return false;
    if (field === 1 && !isUtf8(lengthDelimited(bytes, at, end))) return false;
    at = end;
  }
  return true;
}

/** Where a value of this wire type ends; null if it is cut or of no known type. */
function skipValue(bytes: Uint8Array, at: number, wireType: number): number | null {
  let end: number | null = null;
  if (wireType === 0) end = readVarint(bytes, at)?.next ?? null;
  else if (wireType === 1) end = at + 8;
  else if (wireType === 5) end = at + 4;
  else if (wireType === 2) {
    const length = readVarint(bytes, at);
    end = length === null ? null : length.next + length.value;
  }
  return end !== null && end <= bytes.length ? end : null;
}

function lengthDelimited(bytes: Uint8Array, at: number, end: number): Uint8Array {
  return bytes.subarray(readVarint(bytes, at)?.next ?? end, end);
}

/** At most ten bytes. Values beyond 2^53 lose precision, which no length or tag that fits here can reach. */
function readVarint(bytes: Uint8Array, at: number): { readonly value: number; readonly next: number } | null {
  let value = 0;
  for (let index = 0; index < 10; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) return null;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, next: at + index + 1 };
  }
  return null;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
