import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseGroupPattern } from "./pattern.ts";

/** The same rules written as a regular expression; null for an invalid pattern. */
function reference(source: string): RegExp | null {
  let regex = "";
  let stars = 0;
  let wildcards = 0;
  for (const [token] of source.matchAll(/\*+|\?|\\[^]?|[^]/g)) {
    if (token.startsWith("*")) {
      stars += token.length;
      wildcards += 1;
      regex += token.length === 1 ? "[^.]*" : "[^]*";
    } else if (token === "?") {
      wildcards += 1;
      regex += "[^.]";
    } else if (token.startsWith("\\")) {
      if (!["\\*", "\\?", "\\\\"].includes(token)) return null;
      regex += token;
    } else {
      regex += `\\u${token.charCodeAt(0).toString(16).padStart(4, "0")}`;
    }
  }
  return source === "" || stars > 5 || wildcards > 5 ? null : new RegExp(`^${regex}$`);
}

const patternText = fc
  .array(fc.constantFrom("a", "b", ".", "*", "**", "?", "\\*", "\\?", "\\\\", "\\"), { maxLength: 9 })
  .map((parts) => parts.join(""));
const nameText = fc.string({ unit: fc.constantFrom("a", "b", ".", "*", "?", "\\"), maxLength: 8 });

test("C-40 C-41 H-56 the matcher agrees with a regular expression", () => {
  fc.assert(
    fc.property(patternText, nameText, (source, name) => {
      const pattern = parseGroupPattern(source);
      const expected = reference(source);
      expect(pattern === null).toBe(expected === null);
      if (pattern !== null && expected !== null) expect(pattern.matches(name)).toBe(expected.test(name));
    }),
    { numRuns: 5000, examples: [["*a*", "aa.b"]] },
  );
});

test("the text of a pattern is a pattern that means the same", () => {
  fc.assert(
    fc.property(patternText, nameText, (source, name) => {
      const pattern = parseGroupPattern(source);
      if (pattern === null) return;
      const again = parseGroupPattern(pattern.source);
      expect(again?.source).toBe(pattern.source);
      expect(again?.matches(name)).toBe(pattern.matches(name));
    }),
    { numRuns: 2000 },
  );
});

test("C-40 any text is a pattern or none, and matches or not", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (source, name) => {
      expect(typeof (parseGroupPattern(source)?.matches(name) ?? false)).toBe("boolean");
    }),
  );
});
