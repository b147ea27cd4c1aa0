/**
 * What a message carries. JSON stays the exact source text of one value and is never parsed and written again (C-45);
 * `protobuf` is a serialized `google.protobuf.Any`, whose type is never resolved.
 */
export type Payload =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "json"; readonly source: string }
  | { readonly kind: "binary"; readonly bytes: Uint8Array }
  | { readonly kind: "protobuf"; readonly any: Uint8Array };

/** Message metadata in sending order: distinct, case-sensitive keys; already within the limits of `checkMetadata`. */
export type Metadata = readonly (readonly [key: string, value: string])[];

/** The payload of a message that has metadata but no data (C-49). */
export const emptyText: Payload = { kind: "text", text: "" };

/** Length of the content as it is kept: characters of text, bytes of everything else. */
export function lengthOf(payload: Payload): number {
  switch (payload.kind) {
    case "text":
      return payload.text.length;
    case "json":
      return payload.source.length;
    case "binary":
      return payload.bytes.length;
    case "protobuf":
      return payload.any.length;
  }
}

/** Limits of message metadata in characters, equal to bytes because both parts are ASCII (client-protocols 6.6). */
export const metadataLimits = { keyLength: 256, valueLength: 1024, totalLength: 8192 } as const;

const keyPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Why metadata was refused; `key` is the offending key, null when it is the sum that is too large. */
export interface MetadataProblem {
  readonly kind: "keyCharacters" | "keyLength" | "valueCharacters" | "valueLength" | "duplicateKey" | "totalLength";
  readonly key: string | null;
}

/** Checks metadata against the rules of client-protocols 6.6 and returns the first problem, or null (C-48, R-57). */
export function checkMetadata(metadata: Metadata): MetadataProblem | null {
  const seen = new Set<string>();
  let total = 0;
  for (const [key, value] of metadata) {
    if (!keyPattern.test(key)) return { kind: "keyCharacters", key };
    if (key.length > metadataLimits.keyLength) return { kind: "keyLength", key };
    if (!isAscii(value)) return { kind: "valueCharacters", key };
    if (value.length > metadataLimits.valueLength) return { kind: "valueLength", key };
    if (seen.has(key)) return { kind: "duplicateKey", key };
    seen.add(key);
    total += key.length + value.length;
  }
  return total > metadataLimits.totalLength ? { kind: "totalLength", key: null } : null;
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}
