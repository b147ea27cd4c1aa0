import { expect, test } from "bun:test";
import { keepSecrets, withoutSecrets } from "./secrets.ts";

const handler = {
  urlTemplate: "https://a.example/?code={@Env(CODE)}",
  userEventPattern: "*",
  auth: { type: "ClientCredentials", tokenUrl: "https://login.example/", clientId: "me", clientSecret: "s3cr3t" },
};
const listener = {
  filter: { userEventPattern: "*" },
  endpoint: { type: "Kafka", brokers: ["k:9092"], topic: "t", sasl: { username: "u", password: "p4ss" } },
};
const current = { eventHandlers: [handler], eventListeners: [listener] };

const kept = (properties: Record<string, unknown>) => {
  const result = keepSecrets(properties, current);
  return result.ok ? result.properties : result.path;
};

test("M-10 secrets are masked wherever the schema has them, and nothing else is", () => {
  const shown = withoutSecrets(current);
  expect(JSON.stringify(shown)).not.toMatch(/s3cr3t|p4ss/);
  expect(shown).toEqual({
    eventHandlers: [{ ...handler, auth: { ...handler.auth, clientSecret: "(secret)" } }],
    eventListeners: [
      { ...listener, endpoint: { ...listener.endpoint, sasl: { username: "u", password: "(secret)" } } },
    ],
  });
});

test("what was shown can be sent back, in another order and for other events", () => {
  const shown = withoutSecrets(current) as typeof current;
  expect(kept(shown)).toEqual(current);
  const other = { urlTemplate: "https://b.example/" };
  const [masked] = shown.eventHandlers;
  expect(kept({ eventHandlers: [other, { systemEvents: ["connect"], ...masked, userEventPattern: "x" }] })).toEqual({
    eventHandlers: [other, { ...handler, systemEvents: ["connect"], userEventPattern: "x" }],
  });
});

test("a new secret replaces the old one", () => {
  const auth = { ...handler.auth, clientSecret: "new" };
  expect(kept({ eventHandlers: [{ ...handler, auth }] })).toEqual({ eventHandlers: [{ ...handler, auth }] });
});

test.each([
  ["another URL", { urlTemplate: "https://evil.example/" }],
  ["another token endpoint", { auth: { ...handler.auth, tokenUrl: "https://evil.example/" } }],
  ["another way round", { whenNoTunnel: "https://evil.example/" }],
  ["a file", { whenNoTunnel: "https://evil.example/{@File(/etc/hostname)}" }],
  ["another variable", { urlTemplate: "https://a.example/?code={@Env(PATH)}" }],
  ["a file as secret", { auth: { ...handler.auth, clientSecretFile: "/etc/hostname" } }],
])("a masked secret does not go along with %s", (_what, change) => {
  const [masked] = (withoutSecrets(current) as typeof current).eventHandlers;
  expect(kept({ eventHandlers: [{ ...masked, ...change }] })).toBe("eventHandlers[0]");
});

test("a masked secret of a listener stays with its endpoint only", () => {
  const [masked] = (withoutSecrets(current) as typeof current).eventListeners;
  expect(masked).toBeDefined();
  const moved = { ...masked, endpoint: { ...masked?.endpoint, brokers: ["evil:9092"] } };
  expect(kept({ eventListeners: [moved] })).toBe("eventListeners[0]");
});
