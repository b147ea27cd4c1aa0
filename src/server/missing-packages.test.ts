import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempDir } from "../../tests/support/temp.ts";
import { loadConfig } from "../config/load.ts";
import { missingPackage } from "./missing-packages.ts";

function configOf(endpoint: object) {
  const cwd = tempDir();
  const config = join(cwd, "config.json");
  const keys = { primary: "k".repeat(32) };
  const listeners = [
    { filter: {}, endpoint: { type: "HttpBatch", url: "http://a/" } },
    { filter: {}, endpoint },
  ];
  writeFileSync(config, JSON.stringify({ service: { keys }, hubs: { chat: { eventListeners: listeners } } }));
  const loaded = loadConfig({ environment: {}, commandLine: { config }, cwd });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ path, message }) => `${path} ${message}`).join("\n"));
  return loaded.config;
}

test("a listener whose package is not installed is named in one line, with the command that installs it", () => {
  const kafka = configOf({ type: "Kafka", brokers: ["broker:9092"], topic: "t" });
  expect(missingPackage(kafka, () => false)).toBe(
    'hubs.chat.eventListeners[1] needs the package kafkajs: run "npm install kafkajs" where tidewire is installed',
  );
  expect(missingPackage(kafka)).toBeNull();
});

test("nothing is needed for HTTP", () => {
  expect(missingPackage(configOf({ type: "HttpBatch", url: "http://a/" }), () => false)).toBeNull();
});
