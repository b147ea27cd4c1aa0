// The import rules between rooms. tooling/rooms.json is the truth; "*" allows everything.
const rooms = require("./tooling/rooms.json");

const names = Object.keys(rooms).join("|");
const tests = "\\.test\\.ts$";
const rule = (name, from, to) => ({ name, severity: "error", from, to });

const forbidden = [
  rule("no-cycle", {}, { circular: true }),
  rule("unresolvable", {}, { couldNotResolve: true }),
  rule("unknown-room", { path: "^src/", pathNot: `^src/(${names})/` }, {}),
  rule("internal-is-private", { path: "^src/([^/]+)/" }, { path: "^src/[^/]+/internal/", pathNot: "^src/$1/" }),
  rule(
    "codecs-are-siblings",
    { path: "^src/protocols/([^/]+)/" },
    { path: "^src/protocols/[^/]+/", pathNot: "^src/protocols/($1|shared)/" },
  ),
  rule("no-orphan", { orphan: true, path: "^src/", pathNot: `${tests}|^src/cli/main\\.ts$` }, {}),
  rule(
    "source-stands-alone",
    { path: "^src/", pathNot: tests },
    { path: "^(tests|bench|tooling|examples|bin|portal)/|\\.test\\.ts$" },
  ),
  // The console is a client as any other: it knows the service by its interfaces alone.
  rule("portal-stands-alone", { path: "^portal/" }, { path: "^(src|tests|bench|tooling|examples|bin)/" }),
  rule("conformance-is-black-box", { path: "^tests/conformance/" }, { path: "^src/", reachable: true }),
];

for (const [room, allow] of Object.entries(rooms)) {
  const from = { path: `^src/${room}/`, pathNot: tests };
  const any = (list) => list.includes("*");
  const only = (list, pattern) => (list.length > 0 ? pattern(list.join("|")) : "^$");
  if (!any(allow.rooms)) {
    const own = [room, ...allow.rooms].join("|");
    forbidden.push(rule(`${room}-rooms`, from, { path: "^src/", pathNot: `^src/(${own})/` }));
  }
  if (!any(allow.node)) {
    const pathNot = only(allow.node, (list) => `^(node:)?(${list})(/|$)`);
    forbidden.push(rule(`${room}-node`, from, { dependencyTypes: ["core"], pathNot }));
  }
  if (!any(allow.npm)) {
    const pathNot = only(allow.npm, (list) => `node_modules/(@types/)?(${list})/`);
    forbidden.push(rule(`${room}-npm`, from, { path: "node_modules/", pathNot }));
  }
}

module.exports = {
  forbidden,
  options: {
    tsPreCompilationDeps: true, // type-only imports count
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    builtInModules: { add: ["bun", "bun:test", "bun:ffi", "bun:jsc", "bun:sqlite"] },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "node", "default"] },
  },
};
