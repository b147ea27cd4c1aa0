/** A varint of the protobuf wire format. */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/** A length-delimited field: a string, bytes, or a message as the parts it is made of. */
export function field(number: number, ...parts: readonly (string | Uint8Array)[]): Buffer {
  const value = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
  return Buffer.concat([varint(number * 8 + 2), varint(value.length), value]);
}

/** The frame of a message from group `group` whose MessageData are exactly these bytes. */
export function groupMessage(group: string, messageData: Uint8Array): Buffer {
  return field(2, field(1, "group"), field(2, group), field(3, messageData));
}
