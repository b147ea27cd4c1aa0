import { expect, test } from "bun:test";
import { readBearerToken } from "./bearer.ts";

test("C-3 the bearer scheme is read in any case and the token is trimmed", () => {
  for (const header of ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c  "])
    expect(readBearerToken(header)).toBe("a.b.c");
});

test("R-16 no header, another scheme or an empty token is no token", () => {
  for (const header of [null, "", "Bearer", "Bearer ", "Basic YTpi", "Bearera.b.c"])
    expect(readBearerToken(header)).toBeNull();
});
