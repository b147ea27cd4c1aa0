import { expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { loadConfig } from "../config/load.ts";
import { upstreamSettings } from "./upstream-settings.ts";

test("E-67 E-68 by default events are retried after 1, 3 and 5 seconds and have 100 seconds", () => {
  const loaded = loadConfig({ environment: {}, commandLine: {}, cwd: tmpdir() });
  if (!loaded.ok) throw new Error("the default configuration must load");
  const settings = upstreamSettings(loaded.config);
  expect(settings.retryDelaysMs).toEqual([1000, 3000, 5000]);
  expect(settings.timeoutMs).toBe(100_000);
  expect(settings.maxResponseBytes).toBe(16_777_216);
});
