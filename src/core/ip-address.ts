/** An IP address as its 4 or 16 bytes. An IPv4-mapped IPv6 address is held as the IPv4 address it stands for. */
export type IpAddress = readonly number[];

/** A range of addresses; matches addresses of its own family only. */
export interface IpRange {
  readonly bytes: IpAddress;
  readonly prefixLength: number;
}

const ipv4Pattern = /^(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}$/;
const groupPattern = /^[0-9a-fA-F]{1,4}$/;
const prefixPattern = /^(?:0|[1-9][0-9]{0,2})$/;
const mappedPrefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
const mappedBits = 96;
/** The longest text of an IPv6 address with dotted tail (45) and a generous zone id. */
const maxTextLength = 80;

/**
 * Reads an address as sockets and forwarding headers print it: IPv4, IPv6, IPv4-mapped IPv6, brackets and zone id allowed.
 *
 * Returns null for anything else, ports and leading zeros (`010.0.0.1`) included, because tools disagree on their meaning.
 */
export function parseIpAddress(text: string): IpAddress | null {
  if (text.length > maxTextLength) return null;
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  const bytes = bare.includes(":") ? parseIpv6(withoutZone(bare)) : parseIpv4(bare);
  return bytes === null ? null : unmapped(bytes);
}

/**
 * Reads a range in CIDR form, or a single address as a range of one.
 *
 * Bits right of the prefix are ignored (`10.1.2.3/8` is `10.0.0.0/8`). Returns null for malformed text (M-32).
 */
export function parseIpRange(text: string): IpRange | null {
  const slash = text.indexOf("/");
  const addressText = slash < 0 ? text : text.slice(0, slash);
  const written = addressText.includes(":") ? parseIpv6(addressText) : parseIpv4(addressText);
  if (written === null) return null;
  const writtenBits = written.length * 8;
  const prefixText = slash < 0 ? String(writtenBits) : text.slice(slash + 1);
  if (!prefixPattern.test(prefixText)) return null;
  const prefixLength = Number(prefixText);
  if (prefixLength > writtenBits) return null;
  const bytes = unmapped(written);
  if (bytes.length === written.length) return { bytes, prefixLength };
  return prefixLength >= mappedBits
    ? { bytes, prefixLength: prefixLength - mappedBits }
    : { bytes: written, prefixLength };
}

/** Whether the address lies in the range. An IPv4 address is never in an IPv6 range such as `::/0`, nor the reverse. */
export function isInRange(address: IpAddress, range: IpRange): boolean {
  if (address.length !== range.bytes.length) return false;
  let bitsLeft = range.prefixLength;
  for (let index = 0; bitsLeft > 0; index += 1, bitsLeft -= 8) {
    const mask = bitsLeft >= 8 ? 0xff : 0xff & (0xff << (8 - bitsLeft));
    if ((((address[index] ?? 0) ^ (range.bytes[index] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}

function parseIpv4(text: string): number[] | null {
  if (!ipv4Pattern.test(text)) return null;
  const bytes = text.split(".").map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

function withoutZone(text: string): string {
  const percent = text.indexOf("%");
  return percent < 0 ? text : text.slice(0, percent);
}

function parseIpv6(text: string): number[] | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = groupBytes(halves[0] ?? "", halves.length === 1);
  if (halves.length === 1) return head?.length === 16 ? head : null;
  const tail = groupBytes(halves[1] ?? "", true);
  if (head === null || tail === null || head.length + tail.length > 14) return null;
  return [...head, ...Array.from({ length: 16 - head.length - tail.length }, () => 0), ...tail];
}

/** Bytes of colon-separated groups; the last may be dotted IPv4 when it ends the address. Empty text: no groups. */
function groupBytes(text: string, endsAddress: boolean): number[] | null {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    if (endsAddress && index === groups.length - 1 && group.includes(".")) {
      const dotted = parseIpv4(group);
      if (dotted === null) return null;
      bytes.push(...dotted);
    } else {
      if (!groupPattern.test(group)) return null;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

function unmapped(bytes: number[]): number[] {
  const isMapped = bytes.length === 16 && mappedPrefix.every((byte, index) => bytes[index] === byte);
  return isMapped ? bytes.slice(12) : bytes;
}
