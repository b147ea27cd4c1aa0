// `npm run spec:coverage`: which assertion ids of docs/spec/ the tests show. Takes another project folder for its canary.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { root } from "./gates.ts";
import { coverage, listedIds, type Pending, pendingSchema, specDocuments, type Title, titlesIn } from "./spec-ids.ts";

const shownProblems = 60;

async function readListed(project: string, problems: string[]): Promise<Map<string, readonly string[]>> {
  const listed = new Map<string, readonly string[]>();
  for (const document of specDocuments) {
    const path = join(project, "docs", "spec", document.file);
    const ids = existsSync(path) ? listedIds(document, await Bun.file(path).text()) : null;
    if (ids === null) problems.push(`docs/spec/${document.file} is missing`);
    else if (ids.length === 0) problems.push(`docs/spec/${document.file}: no ${document.prefix}- ids in its section`);
    listed.set(document.prefix, ids ?? []);
  }
  return listed;
}

async function readTitles(project: string): Promise<readonly Title[]> {
  const titles: Title[] = [];
  for (const folder of ["src", "tests"]) {
    if (!existsSync(join(project, folder))) continue;
    const files = new Bun.Glob("**/*.{test,contract}.ts").scan({ cwd: join(project, folder) });
    for await (const file of files) {
      titles.push(...titlesIn(`${folder}/${file}`, await Bun.file(join(project, folder, file)).text()));
    }
  }
  return titles;
}

async function readPending(project: string, problems: string[]): Promise<Pending> {
  const path = join(project, "tests", "conformance", "pending.json");
  if (!existsSync(path)) return [];
  const parsed = pendingSchema.safeParse(await Bun.file(path).json());
  if (parsed.success) return parsed.data;
  problems.push(...parsed.error.issues.map((issue) => `pending.json: row ${issue.path.join(".")}: ${issue.message}`));
  return [];
}

const project = resolve(process.argv[2] ?? root);
const problems: string[] = [];
const listed = await readListed(project, problems);
const titles = await readTitles(project);
const result = coverage({ listed, titles, pending: await readPending(project, problems) });
problems.push(...result.problems);

const line = (cells: readonly (string | number)[]): string => cells.map((cell) => String(cell).padStart(8)).join("");
console.log(line(["prefix", "built", "partial", "pending", "missing", "total"]));
for (const row of result.rows) {
  console.log(line([row.prefix, row.built, row.partial, row.pending, row.missing.length, row.total]));
}
const total = result.rows.reduce((sum, row) => sum + row.total, 0);
const documents = result.rows.filter((row) => row.total > 0).length;
console.log(`${total} ids in ${documents} documents, ${titles.length} titles`);
for (const problem of problems.slice(0, shownProblems)) console.log(problem);
if (problems.length > shownProblems) console.log(`and ${problems.length - shownProblems} more`);
process.exit(problems.length === 0 ? 0 : 1);
