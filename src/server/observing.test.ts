import { afterEach, expect, test } from "bun:test";
import { configFolder, key, otherKey } from "../../tests/support/config-folder.ts";
import type { Config } from "../config/config.ts";
import { createObserving, type Observing } from "./observing.ts";

const { load } = configFolder();
let observing: Observing | null = null;
afterEach(() => observing?.close());

const observed = {
  maxConnections: () => 0,
  reliableState: () => ({ detached: 0, messages: 0, bytes: 0 }),
  listenerQueues: () => ({ events: 2, bytes: 30 }),
};

function observe(config: Config) {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  observing = createObserving(config, { log: write, resourceLog: write, isTerminal: false }, observed);
  return { observing, lines };
}

const fileWith = (primary: string, token = "handler-token-0123456789"): string => `
service: { keys: { primary: ${primary} } }
hubs: { chat: { eventHandlers: [{ urlTemplate: "http://h.test/", auth: { type: Bearer, token: ${token} } }] } }`;

test("M-10 H-55 keys and handler tokens reach no line, those of before a reload included", () => {
  const { observing: current, lines } = observe(load({ file: fileWith(key) }));
  current.configure(load({ file: fileWith(otherKey, "another-token-0123456789") }));
  for (const secret of [key, otherKey, "handler-token-0123456789", "another-token-0123456789"]) {
    current.telemetry.log("error", "Leak", { message: `it was ${secret}.` });
    expect(lines.at(-1)).toContain("it was");
    expect(lines.at(-1)).not.toContain(secret);
  }
});
