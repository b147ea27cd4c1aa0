import { type BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { Payload } from "../../core/payload.ts";
import { dataTags } from "./tags.ts";

/** Reads the value of one field into the target; false: the field is not known, nothing was read. */
export type FieldReader<Target> = (reader: BinaryReader, target: Target, tag: number) => boolean;

/**
 * Reads a length and the fields of a message of that length, which must end where the last field ends. Unknown fields are
 * skipped. Throws when the bytes are malformed.
 */
export function readMessage<Target>(reader: BinaryReader, target: Target, field: FieldReader<Target>): void {
  const length = reader.uint32();
  const end = reader.pos + length;
  while (reader.pos < end) {
    const [number, wireType]: [number, WireType] = reader.tag();
    if (!field(reader, target, number * 8 + wireType)) skipField(reader, number, wireType);
  }
  if (reader.pos !== end) throw new Error("a field reaches beyond its message");
}

/**
 * Skips the value of a field. The reader's own way makes a view of every value it skips, of which the largest frame may
 * hold half a million (H-13). Throws when the bytes are malformed.
 */
export function skipField(reader: BinaryReader, number: number, wireType: WireType): void {
  switch (wireType) {
    case WireType.Varint:
      reader.uint32();
      break;
    case WireType.LengthDelimited: {
      const length = reader.uint32();
      reader.pos += length;
      if (reader.pos > reader.len) throw new Error("a field reaches beyond the frame");
      break;
    }
    default:
      reader.skip(wireType, number);
  }
}

/** Reads a field of MessageData. An Any stays the bytes it is (C-89): only a reader that knows its type could write them again. */
export function dataField(reader: BinaryReader, target: { data: Payload | null }, tag: number): boolean {
  switch (tag) {
    case dataTags.text:
      target.data = { kind: "text", text: reader.string(true) };
      return true;
    case dataTags.binary:
      target.data = { kind: "binary", bytes: reader.bytes() };
      return true;
    case dataTags.protobuf:
      target.data = { kind: "protobuf", any: reader.bytes() };
      return true;
    case dataTags.json:
      target.data = { kind: "json", source: reader.string(true) };
      return true;
    default:
      return false;
  }
}
