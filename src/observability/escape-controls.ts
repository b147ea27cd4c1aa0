/**
 * Escapes control characters and line separators the way JSON does: text that clients choose must neither start a new
 * line nor steer the terminal of whoever reads the log. `JSON.stringify` alone leaves 0x7f to 0x9f, U+2028 and U+2029.
 */
export function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
