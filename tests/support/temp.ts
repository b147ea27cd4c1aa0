import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanUpLater } from "./reaper.ts";

/** A new empty folder that is removed when the test process ends. */
export function tempDir(): string {
  const folder = mkdtempSync(join(tmpdir(), "tidewire-test-"));
  cleanUpLater("folder", folder);
  return folder;
}
