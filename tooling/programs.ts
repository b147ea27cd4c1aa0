import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./gates.ts";
import { run } from "./run.ts";
import type { Need } from "./suites.ts";

/** A program's path, or one line that says what is missing and what to do. */
export type Program = { readonly path: string } | { readonly problem: string };

/** The environment variables by which tests learn where the programs are. */
export const programVariables: Readonly<Record<Need, string>> = {
  node: "TIDEWIRE_TEST_NODE",
  chromium: "TIDEWIRE_TEST_CHROMIUM",
  nats: "TIDEWIRE_TEST_NATS",
  kafka: "TIDEWIRE_TEST_KAFKA",
  maven: "TIDEWIRE_TEST_MAVEN",
  python: "TIDEWIRE_TEST_PYTHON",
  postgres: "TIDEWIRE_TEST_POSTGRES",
};

const cwd = root;
const oldestNode = 22; // the newest official SDKs ask for it

/**
 * Finds a program. All but Node are installed from Debian's packages where that is possible without asking (root, Debian);
 * Kafka is a folder of jars from Maven Central, kept in `node_modules/.cache`.
 */
export function findProgram(need: Need): Promise<Program> {
  switch (need) {
    case "node":
      return findNode();
    case "chromium":
      return findChromium();
    case "nats":
      return findNats();
    case "kafka":
      return findKafka();
    case "maven":
      return findMaven();
    case "python":
      return findPython();
    case "postgres":
      return findPostgres();
  }
}

/** Node for the official SDKs: the pinned one of the npm package `node`, else any new enough one on the path. */
async function findNode(): Promise<Program> {
  const pinned = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
  for (const path of [process.env["TIDEWIRE_TEST_NODE"], pinned, Bun.which("node")]) {
    if (!path || !existsSync(path)) continue;
    const { exitCode, output } = await run([path, "--version"], { cwd });
    if (exitCode === 0 && Number(/^v(\d+)\./.exec(output)?.[1]) >= oldestNode) return { path };
  }
  return {
    problem: `no Node >= ${oldestNode}; run "npm rebuild node" (its install script places one) or set TIDEWIRE_TEST_NODE`,
  };
}

async function findChromium(): Promise<Program> {
  const installed = chromiumHere();
  if (installed !== null) return { path: installed };
  const problem = await installPackages(
    ["chromium"],
    'no Chromium; install it (Debian: "apt-get install chromium") or set CHROMIUM_PATH',
  );
  if (problem !== null) return { problem };
  const path = chromiumHere();
  return path === null ? { problem: "Debian's package chromium has no /usr/bin/chromium" } : { path };
}

async function findNats(): Promise<Program> {
  const here = (): string | null => process.env["TIDEWIRE_TEST_NATS"] ?? Bun.which("nats-server");
  const installed = here();
  if (installed !== null) return { path: installed };
  const without = 'no nats-server; install it (Debian: "apt-get install nats-server") or set TIDEWIRE_TEST_NATS';
  const problem = await installPackages(["nats-server"], without);
  if (problem !== null) return { problem };
  const path = here();
  return path === null ? { problem: "Debian's package nats-server has no nats-server" } : { path };
}

/** The broker itself, run by the JVM: no package manager but Maven has it. */
async function findKafka(): Promise<Program> {
  const own = process.env["TIDEWIRE_TEST_KAFKA"];
  if (own !== undefined) return { path: own };
  if (Bun.which("java") === null || Bun.which("mvn") === null) {
    const without = "no Java and Maven to run Kafka; install them, or set TIDEWIRE_TEST_KAFKA to a folder of its jars";
    const problem = await installPackages(["default-jre-headless", "maven"], without);
    if (problem !== null) return { problem };
  }
  const path = join(root, "node_modules", ".cache", "tidewire-kafka");
  const done = join(path, ".complete");
  if (existsSync(done)) return { path };
  console.log("kafka is missing; getting it from Maven Central (43 MB)");
  const pom = join(root, "tests", "kafka", "pom.xml");
  const step = ["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${path}`];
  const { exitCode, output } = await run(step, { cwd });
  if (exitCode !== 0) return { problem: `Maven could not get Kafka: ${output.split("\n").at(-1) ?? ""}` };
  await Bun.write(done, "");
  return { path };
}

/** Maven with a compiler, for the examples in Java. */
async function findMaven(): Promise<Program> {
  if (Bun.which("javac") === null || Bun.which("mvn") === null) {
    const without = "no JDK and Maven to run the examples in Java; install them";
    const problem = await installPackages(["default-jdk-headless", "maven"], without);
    if (problem !== null) return { problem };
  }
  const path = process.env["TIDEWIRE_TEST_MAVEN"] ?? Bun.which("mvn");
  return path === null ? { problem: "Debian's package maven has no mvn" } : { path };
}

/** A Python of its own for the examples, with the packages they ask for, kept in `node_modules/.cache`. */
async function findPython(): Promise<Program> {
  const own = process.env["TIDEWIRE_TEST_PYTHON"];
  if (own !== undefined) return { path: own };
  const folder = join(root, "node_modules", ".cache", "tidewire-python");
  const path = join(folder, "bin", "python3");
  const requirements = join(root, "examples", "publish-subscribe", "python", "requirements.txt");
  const done = join(folder, `.complete-${Bun.hash(await Bun.file(requirements).text())}`);
  if (existsSync(done)) return { path };
  const hasVenv = async (): Promise<boolean> =>
    Bun.which("python3") !== null && (await run(["python3", "-c", "import ensurepip"], { cwd })).exitCode === 0;
  if (!(await hasVenv())) {
    const problem = await installPackages(["python3-venv"], "no Python 3 with venv to run the examples; install it");
    if (problem !== null) return { problem };
  }
  console.log("getting the packages of the Python examples");
  const steps = [
    ["python3", "-m", "venv", "--clear", folder],
    [path, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements],
  ];
  for (const step of steps) {
    const { exitCode, output } = await run(step, { cwd });
    if (exitCode !== 0) return { problem: `"${step.join(" ")}" failed: ${output.split("\n").at(-1) ?? ""}` };
  }
  await Bun.write(done, "");
  return { path };
}

/** The folder of PostgreSQL's programs, for the example that can keep its state there. */
async function findPostgres(): Promise<Program> {
  const own = process.env["TIDEWIRE_TEST_POSTGRES"];
  if (own !== undefined) return { path: own };
  const here = (): string | null => {
    const inPath = Bun.which("initdb");
    if (inPath !== null) return dirname(inPath);
    const found = [...new Bun.Glob("/usr/lib/postgresql/*/bin/initdb").scanSync({ absolute: true })].toSorted().at(-1);
    return found === undefined ? null : dirname(found);
  };
  const installed = here();
  if (installed !== null) return { path: installed };
  const without = 'no PostgreSQL; install it (Debian: "apt-get install postgresql") or set TIDEWIRE_TEST_POSTGRES';
  const problem = await installPackages(["postgresql"], without);
  if (problem !== null) return { problem };
  const path = here();
  return path === null ? { problem: "Debian's package postgresql has no initdb" } : { path };
}

/** Installs Debian's packages as root; returns what is the matter, `without` where nothing may be installed. */
async function installPackages(packages: readonly string[], without: string): Promise<string | null> {
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) return without;
  console.log(`installing Debian's packages ${packages.join(", ")}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const steps = [
    ["apt-get", "update"],
    ["apt-get", "install", "-y", "--no-install-recommends", ...packages],
  ];
  for (const step of steps) {
    const { exitCode, output } = await run(step, { cwd, env });
    if (exitCode !== 0) return `"${step.join(" ")}" failed: ${output.split("\n").at(-1) ?? ""}`;
  }
  return null;
}

function chromiumHere(): string | null {
  const paths = [process.env["CHROMIUM_PATH"], "/usr/bin/chromium", Bun.which("chromium"), Bun.which("google-chrome")];
  return paths.find((path): path is string => !!path && existsSync(path)) ?? null;
}
