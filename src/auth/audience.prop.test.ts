import { expect, test } from "bun:test";
import fc from "fast-check";
import { createAudienceValidator } from "./audience.ts";

const validator = createAudienceValidator({
  publicEndpoints: ["https://ps.example.com/base"],
  pathBase: "/base",
  validateHost: true,
});
const request = { host: "localhost:8080", forwardedHost: null, method: "POST" } as const;
const names = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((name) => name.isWellFormed());

test("R-18 R-19 the URL of a request is an audience for it, whatever names and query it has", () => {
  fc.assert(
    fc.property(names, names, fc.webQueryParameters(), (group, user, query) => {
      const rawPath = `/api/hubs/chat/groups/${encodeURIComponent(group)}/users/${encodeURIComponent(user)}`;
      for (const aud of [`http://localhost:8080${rawPath}?${query}`, `wss://PS.example.com:443/base${rawPath}`]) {
        expect(validator.checkRest({ aud }, { ...request, rawPath }).ok).toBe(true);
      }
    }),
  );
});

test("R-22 the URL of one user is no audience for another user unless it names something below it", () => {
  const path = (user: string): string => `/api/hubs/chat/users/${encodeURIComponent(user)}`;
  fc.assert(
    fc.property(names, names, (user, other) => {
      fc.pre(user.toLowerCase() !== other.toLowerCase() && user.toUpperCase() !== other.toUpperCase());
      fc.pre(!/[%/]/.test(user + other));
      const aud = `http://localhost:8080${path(user)}`;
      expect(validator.checkRest({ aud }, { ...request, rawPath: path(other) }).ok).toBe(false);
    }),
    { numRuns: 1000 },
  );
});

test("H-50 audience checks of arbitrary input return and never throw", () => {
  fc.assert(
    fc.property(fc.anything(), fc.string({ unit: "binary" }), fc.boolean(), (aud, text, hubInQuery) => {
      for (const claim of [aud, `http://localhost:8080${text}`]) {
        validator.checkRest({ aud: claim }, { ...request, rawPath: text });
        validator.checkClient({ aud: claim }, { ...request, kind: "default", hub: text, hubInQuery });
      }
    }),
    { numRuns: 2000 },
  );
});
