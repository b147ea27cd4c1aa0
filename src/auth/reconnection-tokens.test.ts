import { expect, test } from "bun:test";
import { createReconnectionTokens } from "./reconnection-tokens.ts";

test("C-70 a token needs no escaping in a query and is the same each time", () => {
  const tokens = createReconnectionTokens();
  for (let count = 0; count < 100; count++) {
    const token = tokens.issue(`connection${count}`);
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(tokens.issue(`connection${count}`)).toBe(token);
    expect(tokens.isValid(`connection${count}`, token)).toBe(true);
    expect(tokens.isValid(`connection${count}`, token)).toBe(true);
  }
});

test("C-77 the token of another connection, of another process, or a changed one proves nothing", () => {
  const tokens = createReconnectionTokens();
  const token = tokens.issue("c1");
  expect(tokens.isValid("c2", token)).toBe(false);
  expect(createReconnectionTokens().isValid("c1", token)).toBe(false);
  const changed = `${token.startsWith("A") ? "B" : "A"}${token.slice(1)}`;
  for (const wrong of ["", " ", changed, token.slice(1), `${token}A`, `${token}=`, `${token.slice(1)}é`, "\u0000"])
    expect(tokens.isValid("c1", wrong)).toBe(false);
});
