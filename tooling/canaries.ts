// A check that cannot fail is worse than none: each gate is run on a small faulty project and must reject it, naming
// every planted fault. Files below tooling/canaries/ end in `.canary`, so no normal run sees them.
import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Gate, gates, root } from "./gates.ts";
import { run } from "./run.ts";

const lanes = 2;
const suffix = ".canary";
const configuration = [
  ".dependency-cruiser.cjs",
  ".gitignore",
  ".oxlintrc.json",
  "biome.json",
  "knip.json",
  "package.json",
  "tooling/rooms.json",
  "tsconfig.browser.json",
  "tsconfig.json",
];

/** What each gate's output must name; one entry per planted fault. */
const planted: Readonly<Record<string, readonly RegExp[]>> = {
  types: [
    /index-access\.ts.*TS2532/,
    /optional-property\.ts.*TS2375/,
    /enum\.ts.*TS1294/,
    /type-import\.ts.*TS1484/,
    /index-signature\.ts.*TS4111/,
    /fallthrough\.ts.*TS7029/,
  ],
  "types-browser": [/maybe-null\.ts.*TS2531/],
  lint: [
    /no-floating-promises[^[]+\[src\/rest\/floating-promise\.ts/,
    /no-misused-promises[^[]+\[src\/rest\/misused-promise\.ts/,
    /switch-exhaustiveness-check[^[]+\[src\/rest\/switch\.ts/,
    /no-unsafe-assignment[^[]+\[src\/rest\/unsafe\.ts/,
    /no-unsafe-member-access[^[]+\[src\/rest\/unsafe\.ts/,
    /no-unsafe-call[^[]+\[src\/rest\/unsafe\.ts/,
    /no-unsafe-argument[^[]+\[src\/rest\/unsafe\.ts/,
    /no-unsafe-return[^[]+\[src\/rest\/unsafe\.ts/,
    /no-explicit-any[^[]+\[src\/rest\/any\.ts/,
    /no-non-null-assertion[^[]+\[src\/rest\/non-null\.ts/,
    /only-throw-error[^[]+\[src\/rest\/throw\.ts/,
    /no-empty\)[^[]+\[src\/rest\/empty-catch\.ts/,
    /no-process-env[^[]+\[src\/rest\/environment\.ts/,
    /no-console[^[]+\[src\/rest\/console\.ts/,
    /max-params[^[]+\[src\/rest\/parameters\.ts/,
    /no-default-export[^[]+\[src\/rest\/default-export\.ts/,
    /'test\.only'[^[]+\[src\/rest\/focused\.test\.ts/,
    /[Uu]nused (?:eslint|oxlint)-disable[^[]+\[src\/rest\/unused-directive\.ts/,
    /'Bun'[^[]+\[src\/rest\/bun\.ts/,
    ...["process", "Buffer", "setTimeout", "setInterval", "setImmediate", "queueMicrotask", "console", "Bun"].map(
      (name) => new RegExp(`'${name}'[^[]+\\[src/core/globals\\.ts`),
    ),
    /'Date\.now'[^[]+\[src\/core\/globals\.ts/,
    /'Math\.random'[^[]+\[src\/core\/globals\.ts/,
    /'process'[^[]+\[src\/protocols\/globals\.ts/,
  ],
  format: [/src\/core\/indentation\.ts format/, /src\/core\/import-order\.ts:1:1 assist/],
  rooms: [
    /core-rooms: src\/core\/reaches-rest\.ts/,
    /core-node: src\/core\/reaches-node\.ts/,
    /core-npm: src\/core\/reaches-npm\.ts/,
    /core-rooms: src\/core\/type-only\.ts/,
    /no-cycle: src\/rest\/cycle-a\.ts/,
    /no-orphan: src\/rest\/orphan\.ts/,
    /unresolvable: src\/rest\/unresolvable\.ts/,
    /unknown-room: src\/kitchen\//,
    /internal-is-private: src\/gateway\/reaches-internal\.ts/,
    /codecs-are-siblings: src\/protocols\/simple\//,
    /source-stands-alone: src\/rest\/reaches-tests\.ts/,
    /conformance-is-black-box: tests\/conformance\/reaches-source\.test\.ts/,
  ],
  dead: [
    /Unused files[^]*src\/core\/unused-file\.ts/,
    /Unused exports[^]*unusedExport/,
    /Unused dependencies[^]*jose/,
    /Unlisted dependencies[^]*zod/,
  ],
  spec: [
    /C-99: no document has it/,
    /C-2: neither in a title nor pending/,
    /C-1: pending, though a title names it/,
    /more than three ids/,
    /ranges/,
  ],
  unit: [/\(fail\) a failing test fails the run/],
};

/** Lays out the gate's faulty project in a folder of its own, with the real configuration. */
async function layOut(gate: Gate): Promise<string> {
  const project = await realpath(await mkdtemp(join(tmpdir(), "tidewire-canary-")));
  for (const path of configuration) {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await cp(join(root, path), join(project, path));
  }
  await symlink(join(root, "node_modules"), join(project, "node_modules"));
  const source = join(root, "tooling", "canaries", gate.name);
  for (const path of await readdir(source, { recursive: true })) {
    if (!path.endsWith(suffix)) continue;
    const target = join(project, path.slice(0, -suffix.length));
    await mkdir(dirname(target), { recursive: true });
    await cp(join(source, path), target);
  }
  return project;
}

/** Names what is wrong with a gate that did not reject its canary as it should; empty when all is well. */
async function judge(gate: Gate): Promise<readonly string[]> {
  const faults = planted[gate.name];
  if (faults === undefined || faults.length === 0) return [`${gate.name}: has no canary`];
  const project = await layOut(gate);
  try {
    const { exitCode, output } = await run(gate.command(project), { cwd: project, timeoutMs: 60_000 });
    const problems = faults.filter((fault) => !fault.test(output)).map((fault) => `${gate.name}: missed ${fault}`);
    if (exitCode === 0) problems.push(`${gate.name}: accepted its canary`);
    if (gate.files(output, project) === 0) problems.push(`${gate.name}: looked at no file`);
    return problems.length === 0 ? [] : [...problems, gate.brief?.(output) ?? output];
  } finally {
    await rm(project, { recursive: true, force: true });
  }
}

const problems: string[] = [];
const waiting = gates.values();
const lane = async (): Promise<void> => {
  for (const gate of waiting) problems.push(...(await judge(gate)));
};
await Promise.all(Array.from({ length: lanes }, lane));
if (problems.length > 0) console.log(problems.join("\n"));
else console.log(`${gates.length} canaries rejected, ${Object.values(planted).flat().length} planted faults named`);
process.exit(problems.length === 0 ? 0 : 1);
