import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hubSettings } from "./config.ts";
import { loadConfig } from "./load.ts";
import { formatProblem } from "./problem.ts";
import { type ConfigChange, type ConfigWatch, watchConfig } from "./watch.ts";

const key = "primary-key-0123456789abcdef0123456789";
const otherKey = "secondary-key-0123456789abcdef01234567";

type Seen =
  | { readonly kind: "change"; readonly change: ConfigChange }
  | { readonly kind: "problems" | "warnings"; readonly texts: readonly string[] }
  | { readonly kind: "files" };

let folder = "";
let open: ConfigWatch[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidewire-watch-"));
});
afterEach(() => {
  for (const watch of open) watch.close();
  open = [];
  rmSync(folder, { recursive: true });
});

/** Starts watching `file`; `next` waits for what the watch reports after it was called, `seen` is all of it. */
function watching(file: string) {
  const loaded = loadConfig({ environment: { HOME: folder }, commandLine: { config: file }, cwd: folder });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const seen: Seen[] = [];
  let wake = () => {};
  const report = (what: Seen) => {
    seen.push(what);
    wake();
  };
  const watch = watchConfig(loaded, {
    onChange: (change) => report({ kind: "change", change }),
    onProblems: (problems) => report({ kind: "problems", texts: problems.map(formatProblem) }),
    onWarnings: (warnings) => report({ kind: "warnings", texts: warnings.map(formatProblem) }),
    onFilesChanged: () => report({ kind: "files" }),
    debounceMs: 10,
  });
  open.push(watch);
  const next = async (): Promise<Seen> => {
    if (seen.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    const first = seen.shift();
    if (first === undefined) throw new Error("woken without a report");
    return first;
  };
  return { watch, next, seen };
}

const settings = (url: string, more = "") =>
  `service: { keys: { primary: ${key} } }\nhubs: { chat: { eventHandlers: [{ urlTemplate: "${url}" }] } }\n${more}`;
const urlOf = (seen: Seen) =>
  seen.kind === "change" ? hubSettings(seen.change.config, "chat").eventHandlers[0]?.urlTemplate : seen;

test("M-21 an edited file gives the new configuration and the names of what changed", async () => {
  const file = join(folder, "config.yaml");
  writeFileSync(file, settings("http://one/"));
  const { next } = watching(file);
  writeFileSync(file, settings("http://two/", "logging: { level: debug }"));
  const first = await next();
  expect(urlOf(first)).toBe("http://two/");
  expect(first.kind === "change" ? first.change.changed : []).toEqual(["hubs.chat.eventHandlers", "logging.level"]);
});

test("M-21 replacing the file by rename and by symbolic link is noticed, again and again", async () => {
  mkdirSync(join(folder, "1"));
  mkdirSync(join(folder, "2"));
  writeFileSync(join(folder, "1", "config.yaml"), settings("http://one/"));
  writeFileSync(join(folder, "2", "config.yaml"), settings("http://two/"));
  symlinkSync("1", join(folder, "data"));
  symlinkSync(join("data", "config.yaml"), join(folder, "config.yaml"));
  const { next } = watching(join(folder, "config.yaml"));
  symlinkSync("2", join(folder, "data-new"));
  renameSync(join(folder, "data-new"), join(folder, "data"));
  expect(urlOf(await next())).toBe("http://two/");
  for (const url of ["http://three/", "http://four/"]) {
    writeFileSync(join(folder, "draft"), settings(url));
    renameSync(join(folder, "draft"), join(folder, "config.yaml"));
    expect(urlOf(await next())).toBe(url);
  }
});

test("M-22 invalid and empty content is reported and changes nothing; the next valid content counts", async () => {
  const file = join(folder, "config.yaml");
  writeFileSync(file, settings("http://one/"));
  const { next } = watching(file);
  writeFileSync(file, settings("http://{hub}/"));
  expect(await next()).toEqual({
    kind: "problems",
    texts: ["hubs.chat.eventHandlers[0].urlTemplate: must not have a placeholder in the host"],
  });
  writeFileSync(file, "");
  expect(await next()).toEqual({ kind: "problems", texts: [`${file}: is empty; the previous settings stay`] });
  rmSync(file);
  expect(await next()).toEqual({ kind: "problems", texts: [`${file}: does not exist`] });
  writeFileSync(file, settings("http://two/"));
  expect(urlOf(await next())).toBe("http://two/");
});

test("M-22 the same invalid content prevents the start", () => {
  const file = join(folder, "config.yaml");
  writeFileSync(file, settings("http://{hub}/"));
  expect(loadConfig({ environment: {}, commandLine: { config: file }, cwd: folder }).ok).toBe(false);
});

test("an unknown key on reload is a warning and the rest applies", async () => {
  const file = join(folder, "config.yaml");
  writeFileSync(file, settings("http://one/"));
  const { watch, next } = watching(file);
  writeFileSync(file, settings("http://two/", "loging: {}"));
  watch.reload();
  const first = await next();
  expect(urlOf(first)).toBe("http://two/");
  expect(first.kind === "change" ? first.change.warnings.map(formatProblem) : []).toEqual([
    "loging: is not a setting (did you mean logging?)",
  ]);
});

test("settings that need a restart keep their values, with a warning that names them", async () => {
  const file = join(folder, "config.yaml");
  writeFileSync(file, settings("http://one/"));
  const { watch, next } = watching(file);
  const moved = (url: string) =>
    settings(url).replace(
      "keys",
      `listen: [{ url: "http://localhost:1" }], pathBase: /x, dataDir: elsewhere, publicEndpoints: ["https://a"], keys`,
    );
  writeFileSync(file, moved("http://two/"));
  watch.reload();
  const first = await next();
  if (first.kind !== "change") throw new Error(first.kind);
  expect(first.change.config.service.listen).toHaveLength(2);
  expect(first.change.config.service).toMatchObject({
    pathBase: "",
    dataDir: join(folder, ".tidewire"),
    publicEndpoints: ["https://a"],
  });
  expect(first.change.changed).toEqual(["service.publicEndpoints", "hubs.chat.eventHandlers"]);
  const warnings = ["service.listen", "service.pathBase", "service.dataDir"].map(
    (name) => `${name}: has changed; the change takes effect at the next start`,
  );
  expect(first.change.warnings.map(formatProblem)).toEqual(warnings);
  watch.reload();
  expect(await next()).toEqual({ kind: "warnings", texts: warnings });
});

test("a changed secret file gives a new configuration; a file that is only touched does not", async () => {
  const file = join(folder, "config.yaml");
  const secret = join(folder, "key");
  const certificate = join(folder, "tls.crt");
  writeFileSync(secret, key);
  writeFileSync(certificate, "one");
  writeFileSync(
    file,
    `service: { keys: { primary: ${otherKey}, secondaryFile: key }, listen: [{ url: "https://localhost:1", tls: { certFile: tls.crt, keyFile: tls.crt } }] }`,
  );
  const { next, seen } = watching(file);
  writeFileSync(secret, `${key}-new\n`);
  const first = await next();
  if (first.kind !== "change") throw new Error(first.kind);
  expect(first.change.config.service.keys).toMatchObject({ primary: otherKey, secondary: `${key}-new` });
  expect(first.change.changed).toEqual(["service.keys.secondary"]);
  writeFileSync(certificate, "another");
  expect(await next()).toEqual({ kind: "files" });
  expect(seen).toEqual([]);
});

test("a secret file named by a reload is watched from then on, also while the configuration is broken", async () => {
  const file = join(folder, "config.yaml");
  const secret = join(folder, "secrets", "key");
  mkdirSync(join(folder, "secrets"));
  writeFileSync(secret, otherKey);
  writeFileSync(file, settings("http://one/"));
  const { next } = watching(file);
  writeFileSync(file, settings("http://one/").replace("primary:", "secondaryFile: secrets/key, primary:"));
  expect((await next()).kind).toBe("change");
  writeFileSync(secret, `${otherKey}-new`);
  const second = await next();
  expect(second.kind === "change" ? second.change.config.service.keys.secondary : second).toBe(`${otherKey}-new`);
  writeFileSync(file, "service: {");
  expect((await next()).kind).toBe("problems");
  writeFileSync(secret, `${otherKey}-newer`);
  expect((await next()).kind).toBe("problems");
});

test("nothing is reported after close, and closing twice is harmless", () => {
  const file = join(folder, "config.yaml");
  writeFileSync(file, settings("http://one/"));
  const { watch, seen } = watching(file);
  writeFileSync(file, settings("http://two/"));
  watch.close();
  watch.close();
  watch.reload();
  expect(seen).toEqual([]);
});

test("without a file a reload changes nothing", () => {
  const loaded = loadConfig({ environment: { HOME: folder }, commandLine: {}, cwd: folder });
  if (!loaded.ok) throw new Error("not loaded");
  const fail = () => {
    throw new Error("nothing should be reported");
  };
  const watch = watchConfig(loaded, { onChange: fail, onProblems: fail, onWarnings: fail });
  open.push(watch);
  watch.reload();
});
