import { expect, test } from "bun:test";
import { createProgram } from "../src/cli/program.ts";
import { callOf, cliDocsFile, exampleOf, renderCliDocs, verbsOf } from "./cli-docs.ts";

test("docs/cli.md is what the command line says; else run tooling/cli-docs.ts", async () => {
  expect(await Bun.file(cliDocsFile).text()).toBe(renderCliDocs());
});

test("every verb has a sentence, an example that calls it, and a meaning for every option", () => {
  const verbs = verbsOf(createProgram());
  expect(verbs.length).toBeGreaterThan(30);
  for (const verb of verbs) {
    expect(verb.description()).toMatch(/^[A-Z].+\.$/);
    expect(exampleOf(verb)).toContain(callOf(verb));
    for (const option of verb.options) expect(option.description).toMatch(/.+\.$/);
  }
});

test("the tree has the verbs of az webpubsub under their names", () => {
  const calls = verbsOf(createProgram()).map(callOf);
  const verbs = [
    ["service", ["broadcast"]],
    ["service group", ["add-connection", "remove-connection", "add-user", "remove-user", "send"]],
    ["service user", ["exist", "send"]],
    ["service connection", ["exist", "close", "send"]],
    ["service permission", ["grant", "revoke", "check"]],
    ["client", ["start"]],
    ["key", ["show", "regenerate"]],
    ["hub", ["list", "show", "create", "update", "delete"]],
    ["network-rule", ["show", "update"]],
    ["network-rule ip-rule", ["add", "remove"]],
  ] as const;
  for (const [group, names] of verbs) {
    for (const name of names) expect(calls).toContain(`tidewire ${group} ${name}`);
  }
});
