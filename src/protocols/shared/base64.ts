/**
 * Decodes base64 of the standard alphabet with its padding, and returns null for anything else: the URL alphabet, blanks,
 * missing padding or bits left over in the last character (client-protocols 6.4).
 */
export function decodeBase64(text: string): Uint8Array | null {
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch {
    return null;
  }
  // The platform skips blanks, which then show in the length.
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return bytes.length === (text.length / 4) * 3 - padding ? bytes : null;
}
