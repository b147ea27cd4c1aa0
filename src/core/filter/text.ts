const ASCII_ONLY = /^[\0-\x7f]*$/;
const WHITE_SPACE = /^\p{White_Space}$/u;

/**
 * Lower case without culture: one character for one character and blind to context, so U+0130 and the final sigma rule
 * of Unicode's full mapping do not change the length of a text or the result of a comparison.
 */
export function toLowerInvariant(text: string): string {
  return ASCII_ONLY.test(text) ? text.toLowerCase() : mapCase(text, (character) => character.toLowerCase());
}

/** Upper case without culture, see `toLowerInvariant`; `ß` and the dotless `ı` stay as they are. */
export function toUpperInvariant(text: string): string {
  return ASCII_ONLY.test(text)
    ? text.toUpperCase()
    : mapCase(text, (character) => (character === "\u0131" ? character : character.toUpperCase()));
}

function mapCase(text: string, change: (character: string) => string): string {
  let result = "";
  for (const character of text) {
    const changed = change(character);
    result += changed.length === character.length ? changed : character;
  }
  return result;
}

/** Removes Unicode white space at both ends; unlike `String.trim` it takes U+0085 and leaves U+FEFF. */
export function trimWhiteSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && WHITE_SPACE.test(text.charAt(start))) start++;
  while (end > start && WHITE_SPACE.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}
