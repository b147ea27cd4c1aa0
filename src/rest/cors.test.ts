import { expect, test } from "bun:test";
import { createHarness } from "../../tests/support/rest-harness.ts";

const line = "OPTIONS /api/hubs/chat/:send";
const preflight = {
  origin: "https://app.example.com",
  "access-control-request-method": "POST",
  "access-control-request-headers": "authorization,content-type",
};

test("R-100 a preflight is answered without authentication", async () => {
  const response = await createHarness().send(line, { auth: null, headers: preflight });
  expect([response.status, await response.text()]).toEqual([204, ""]);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
    "access-control-allow-headers": "authorization,content-type",
    "access-control-max-age": "86400",
  });
  expect(response.headers.has("access-control-allow-credentials")).toBe(false);
});

test("answers and errors may be read by browsers", async () => {
  const { send } = createHarness();
  for (const auth of [undefined, null]) {
    const { headers } = await send("POST /api/hubs/chat/:send", auth === null ? { auth } : {});
    expect(headers.get("access-control-allow-origin")).toBe("*");
    expect(headers.get("access-control-expose-headers")).toBe(
      "x-ms-error-code, x-ms-client-request-id, api-supported-versions",
    );
  }
});

test("with a list of origins only those get permission", async () => {
  const { send } = createHarness({ rest: { corsOrigins: ["https://app.example.com", "https://b.example.com"] } });
  for (const [origin, allowed] of [
    ["https://app.example.com", "https://app.example.com"],
    ["https://evil.example.com", null],
  ] as const) {
    for (const asked of [line, "POST /api/hubs/chat/:send"]) {
      const { headers } = await send(asked, { headers: { ...preflight, origin } });
      expect([headers.get("access-control-allow-origin"), headers.get("vary")]).toEqual([allowed, "Origin"]);
    }
    const { headers } = await send(line, { auth: null, headers: { ...preflight, origin } });
    expect(headers.has("access-control-allow-methods")).toBe(allowed !== null);
  }
  expect((await send("POST /api/hubs/chat/:send")).headers.has("access-control-allow-origin")).toBe(false);
});
