import { expect, test } from "bun:test";
import { nodeIdLength, ownerOf } from "../core/node-id.ts";
import { createIdSource, createNodeId } from "./ids.ts";

test("C-24 connection ids are URL-safe, distinct, and name their node", () => {
  const nodeId = createNodeId();
  const ids = createIdSource(nodeId);
  const seen = new Set<string>();
  for (let index = 0; index < 2000; index++) {
    const id = ids.connectionId();
    expect(id).toMatch(/^[a-z0-9]{8}[A-Za-z0-9_-]{24}$/);
    expect(ownerOf(id)).toBe(nodeId);
    seen.add(id);
  }
  expect(seen.size).toBe(2000);
});

test("node ids are new each time, of the agreed shape", () => {
  const nodeIds = Array.from({ length: 200 }, createNodeId);
  expect(new Set(nodeIds).size).toBe(200);
  for (const nodeId of nodeIds) expect(nodeId).toMatch(new RegExp(`^[a-z0-9]{${nodeIdLength}}$`));
});

test("two sources of one node draw different ids", () => {
  const nodeId = createNodeId();
  expect(createIdSource(nodeId).connectionId()).not.toBe(createIdSource(nodeId).connectionId());
});
