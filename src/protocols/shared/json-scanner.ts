/** Containers that may be open at once, the outermost object among them (client-protocols 6.1). */
export const maxDepth = 64;

const tab = 0x09;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const quote = 0x22;
const plus = 0x2b;
const comma = 0x2c;
const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;
const nine = 0x39;
const colon = 0x3a;
const upperE = 0x45;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const lowerE = 0x65;
const lowerU = 0x75;
const openBrace = 0x7b;
const closeBrace = 0x7d;

// The engine searches a character class with vector instructions: a tenth of the time of a loop, and of the matching
// complement, on long strings. `lastIndex` is set before every use.
const stopInString = /["\\\u0000-\u001f]/g;
const hexDigits = /^[0-9A-Fa-f]{4}$/;

/**
 * Reads the members of one JSON object in source order and validates them on the way: strict JSON (RFC 8259), at most
 * `maxDepth` containers deep, nothing but blanks around the object. Every member is shown, duplicates too.
 *
 * Works on offsets into the text, so that a value is available as exactly the characters the client sent (C-45). Takes any
 * text, never throws, in time linear in its length.
 */
export class ObjectScanner {
  /** Offsets of the current member's name, quotes included, and of its value; `…End` lies behind the last character. */
  nameStart = 0;
  nameEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  readonly #text: string;
  readonly #depth: number;
  #at: number;
  #first = true;

  /** `at`: offset behind the opening brace; `depth`: open containers, this one included. Use `scanObject`. */
  constructor(text: string, at: number, depth: number) {
    this.#text = text;
    this.#at = at;
    this.#depth = depth;
  }

  /**
   * Steps to the next member. After "end" the whole object is known to be valid, and `valueEnd` is the offset behind it;
   * after "invalid" nothing is, and `next` must not be called again.
   */
  next(): "member" | "end" | "invalid" {
    const text = this.#text;
    let at = skipBlanks(text, this.#at);
    if (text.charCodeAt(at) === closeBrace) return this.#finish(at + 1);
    if (this.#first) this.#first = false;
    else if (text.charCodeAt(at) === comma) at = skipBlanks(text, at + 1);
    else return "invalid";

    const nameEnd = endOfString(text, at);
    if (nameEnd < 0) return "invalid";
    this.nameStart = at;
    this.nameEnd = nameEnd;

    at = skipBlanks(text, nameEnd);
    if (text.charCodeAt(at) !== colon) return "invalid";
    this.valueStart = skipBlanks(text, at + 1);
    this.valueEnd = this.#at = endOfValue(text, this.valueStart, this.#depth);
    return this.#at < 0 ? "invalid" : "member";
  }

  #finish(end: number): "end" | "invalid" {
    if (this.#depth === 1 && skipBlanks(this.#text, end) !== this.#text.length) return "invalid";
    this.valueEnd = end;
    return "end";
  }
}

/** Starts to read the object that is the whole text, or returns null if it does not begin with one. */
export function scanObject(text: string): ObjectScanner | null {
  const at = skipBlanks(text, 0);
  return text.charCodeAt(at) === openBrace ? new ObjectScanner(text, at + 1, 1) : null;
}

/** Whether the text is one JSON value (RFC 8259) of any type, at most `maxDepth` containers deep. As safe as `scanObject`. */
export function isJson(text: string): boolean {
  const end = endOfValue(text, skipBlanks(text, 0), 0);
  return end >= 0 && skipBlanks(text, end) === text.length;
}

function skipBlanks(text: string, at: number): number {
  let index = at;
  for (;;) {
    const char = text.charCodeAt(index);
    if (char !== space && char !== lineFeed && char !== carriageReturn && char !== tab) return index;
    index++;
  }
}

// Each of the following returns the offset behind what it reads, or -1 if that is not there or malformed. `charCodeAt`
// behind the end is NaN, which equals nothing. `depth` counts the containers that are open; it bounds the recursion.

function endOfValue(text: string, at: number, depth: number): number {
  switch (text.charCodeAt(at)) {
    case quote:
      return endOfString(text, at);
    case openBrace:
      return endOfObject(text, at, depth);
    case openBracket:
      return endOfArray(text, at, depth);
    case 0x74:
      return text.startsWith("true", at) ? at + 4 : -1;
    case 0x66:
      return text.startsWith("false", at) ? at + 5 : -1;
    case 0x6e:
      return text.startsWith("null", at) ? at + 4 : -1;
    default:
      return endOfNumber(text, at);
  }
}

function endOfObject(text: string, at: number, depth: number): number {
  if (depth === maxDepth) return -1;
  const members = new ObjectScanner(text, at + 1, depth + 1);
  let step = members.next();
  while (step === "member") step = members.next();
  return step === "end" ? members.valueEnd : -1;
}

function endOfArray(text: string, at: number, depth: number): number {
  if (depth === maxDepth) return -1;
  let index = skipBlanks(text, at + 1);
  if (text.charCodeAt(index) === closeBracket) return index + 1;
  for (;;) {
    index = endOfValue(text, index, depth + 1);
    if (index < 0) return -1;
    index = skipBlanks(text, index);
    const char = text.charCodeAt(index);
    if (char === closeBracket) return index + 1;
    if (char !== comma) return -1;
    index = skipBlanks(text, index + 1);
  }
}

function endOfString(text: string, at: number): number {
  if (text.charCodeAt(at) !== quote) return -1;
  let index = at + 1;
  for (;;) {
    stopInString.lastIndex = index;
    if (!stopInString.test(text)) return -1;
    index = stopInString.lastIndex;
    const stop = text.charCodeAt(index - 1);
    if (stop === quote) return index;
    if (stop !== backslash) return -1;
    index = endOfEscape(text, index);
    if (index < 0) return -1;
  }
}

/** `at`: the character behind the backslash. */
function endOfEscape(text: string, at: number): number {
  if (text.charCodeAt(at) === lowerU) return hexDigits.test(text.slice(at + 1, at + 5)) ? at + 5 : -1;
  return '"\\/bfnrt'.includes(text.charAt(at)) ? at + 1 : -1;
}

function endOfNumber(text: string, at: number): number {
  let index = text.charCodeAt(at) === minus ? at + 1 : at;
  index = text.charCodeAt(index) === zero ? index + 1 : endOfDigits(text, index);
  if (index >= 0 && text.charCodeAt(index) === point) index = endOfDigits(text, index + 1);
  if (index < 0) return -1;
  let char = text.charCodeAt(index);
  if (char !== lowerE && char !== upperE) return index;
  char = text.charCodeAt(index + 1);
  return endOfDigits(text, char === plus || char === minus ? index + 2 : index + 1);
}

/** At least one digit. */
function endOfDigits(text: string, at: number): number {
  let index = at;
  for (;;) {
    const char = text.charCodeAt(index);
    if (!(char >= zero && char <= nine)) return index === at ? -1 : index;
    index++;
  }
}
