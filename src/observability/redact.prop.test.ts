import { expect, test } from "bun:test";
import fc from "fast-check";
import { createRedactor } from "./redact.ts";

const base64Url = fc.string({
  unit: fc.constantFrom(...Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")),
  minLength: 24,
  maxLength: 60,
});
const jwt = fc
  .tuple(base64Url, base64Url, base64Url)
  .map(([header, payload, signature]) => ({ text: `eyJ${header}.eyJ${payload}.${signature}`, payload, signature }));
const surrounding = fc.string({ maxLength: 40 });

test("M-10 H-55 a JWT between any two texts is masked", () => {
  const redactor = createRedactor();
  fc.assert(
    fc.property(surrounding, jwt, surrounding, (before, token, after) => {
      const safe = redactor.redact(`${before}${token.text}${after}`);
      expect(safe).not.toContain(token.payload);
      expect(safe).not.toContain(token.signature);
    }),
  );
});

test("M-10 a protected secret is masked between any two texts", () => {
  fc.assert(
    fc.property(
      surrounding,
      fc.string({ minLength: 32, maxLength: 80, unit: "grapheme" }),
      surrounding,
      (before, key, after) => {
        const redactor = createRedactor();
        redactor.protect([key]);
        expect(redactor.redact(`${before}${key}${after}`)).not.toContain(key);
      },
    ),
  );
});
