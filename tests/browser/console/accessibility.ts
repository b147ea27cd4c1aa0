import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe-core finds on a page that is serious or critical, as lines a person can read. */
export async function seriousIssues(page: Page): Promise<readonly string[]> {
  // Not as a script element: the page's policy forbids those, which is what it is for.
  await page.evaluate(axeSource);
  return await page.evaluate<readonly string[]>(`
    axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
      violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, help, nodes }) => id + ": " + help + " " + nodes.map(({ html }) => html).slice(0, 3).join(" ")))`);
}
