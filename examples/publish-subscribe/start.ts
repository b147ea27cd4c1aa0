// Shows one language at work: starts its subscriber, then gives its publisher something to send. On a terminal it sends
// what you type after that, until Ctrl+D or Ctrl+C. Usage: bun start.ts [typescript | python | java | csharp]
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

interface Language {
  /** What has to be there first, installed or compiled; nothing where it is already. */
  prepare(): readonly (readonly string[])[];
  /** The command lines of the two programs, and what lets them trust an authority, a PEM file, besides those they know. */
  subscriber(authority: string | null): readonly string[];
  publisher(authority: string | null): readonly string[];
  environment(authority: string): Readonly<Record<string, string>>;
}

const here = import.meta.dirname;
const isWindows = process.platform === "win32";
const greetings = ["Hello, world!", "The tide is coming in.", "Grüße, 世界 🌊"];
const scratch = mkdtempSync(join(tmpdir(), "publish-subscribe-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

const typescript: Language = {
  prepare: () => [],
  subscriber: () => [process.execPath, "javascript/subscriber.ts"],
  publisher: () => [process.execPath, "javascript/publisher.ts"],
  environment: () => ({}), // NODE_EXTRA_CA_CERTS is there already
};

/** `PYTHON` may name an interpreter that has the packages of requirements.txt. */
const virtual = join(here, "python", ".venv");
const interpreter =
  process.env["PYTHON"] ?? join(virtual, ...(isWindows ? ["Scripts", "python.exe"] : ["bin", "python"]));
const python: Language = {
  prepare: () =>
    existsSync(interpreter)
      ? []
      : [
          [isWindows ? "python" : "python3", "-m", "venv", virtual],
          [interpreter, "-m", "pip", "install", "--quiet", "-r", "python/requirements.txt"],
        ],
  subscriber: () => [interpreter, "python/subscriber.py"],
  publisher: () => [interpreter, "python/publisher.py"],
  // The first is for the WebSocket (OpenSSL), the second for REST (requests).
  environment: (authority) => ({ SSL_CERT_FILE: authority, REQUESTS_CA_BUNDLE: authority, PYTHONUTF8: "1" }),
};

/** `MAVEN` may name another Maven than the one on the path. */
const maven = process.env["MAVEN"] ?? "mvn";
const java: Language = {
  prepare: () => [[maven, "-q", "-B", "-f", "java/pom.xml", "compile"]],
  subscriber: (authority) => javaCommand("Subscriber", authority),
  publisher: (authority) => javaCommand("Publisher", authority),
  environment: () => ({}),
};

function javaCommand(program: string, authority: string | null): string[] {
  const classes = ["java/target/classes", "java/target/lib/*"].join(delimiter);
  return ["java", ...(authority === null ? [] : trustStore(authority)), "-cp", classes, program];
}

/** Java reads no PEM file: keytool makes a trust store of it. */
function trustStore(authority: string): string[] {
  const store = join(scratch, "trust.p12");
  if (!existsSync(store)) {
    const from = ["-noprompt", "-alias", "tidewire", "-file", authority];
    run(["keytool", "-importcert", ...from, "-keystore", store, "-storetype", "PKCS12", "-storepass", "changeit"]);
  }
  return [`-Djavax.net.ssl.trustStore=${store}`, "-Djavax.net.ssl.trustStorePassword=changeit"];
}

const csharp: Language = {
  prepare: () =>
    ["Subscriber", "Publisher"].map((name) => ["dotnet", "build", "--nologo", "-v", "quiet", `csharp/${name}`]),
  subscriber: () => ["dotnet", "csharp/Subscriber/bin/Debug/net8.0/Subscriber.dll"],
  publisher: () => ["dotnet", "csharp/Publisher/bin/Debug/net8.0/Publisher.dll"],
  environment: (authority) => ({ SSL_CERT_FILE: authority }), // read on Linux; elsewhere the system's store decides
};

const languages: Readonly<Record<string, Language>> = { typescript, python, java, csharp };

/** Runs a command to its end; this program ends where it cannot. */
function run(command: readonly string[]): void {
  const { exitCode, stdout, stderr } = spawned(
    () => Bun.spawnSync([...command], { cwd: here, stdin: "ignore" }),
    command,
  );
  if (exitCode === 0) return;
  console.error(`"${command.join(" ")}" failed:\n${stdout.toString()}${stderr.toString()}`.trimEnd());
  process.exit(1);
}

function spawned<Started>(start: () => Started, [program = ""]: readonly string[]): Started {
  try {
    return start();
  } catch (error) {
    console.error(`Cannot run ${program}: is it installed? (${(error as Error).message})`);
    process.exit(1);
  }
}

const name = process.argv[2] ?? "typescript";
const language = languages[name];
if (language === undefined) {
  console.error(`There is no "${name}" here; there are ${Object.keys(languages).join(", ")}.`);
  process.exit(2);
}
const connectionString = process.env["WebPubSubConnectionString"];
if (!connectionString) {
  console.error("Set WebPubSubConnectionString to the connection string of the service.");
  process.exit(2);
}

const isSecure = /Endpoint=https:/i.test(connectionString);

const steps = language.prepare();
if (steps.length > 0) console.log(`Preparing ${name} …`);
steps.forEach(run);

const authority = isSecure ? (process.env["NODE_EXTRA_CA_CERTS"] ?? null) : null;
const env = { ...process.env, ...(authority === null ? {} : language.environment(authority)) };
const subscribe = language.subscriber(authority);
const subscriber = spawned(
  () => Bun.spawn([...subscribe], { cwd: here, env, stdin: "ignore", stdout: "pipe", stderr: "inherit" }),
  subscribe,
);
const programs: { kill(signal: NodeJS.Signals): void; readonly exited: Promise<number> }[] = [subscriber];
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void end(0));

let received = 0;
const connected = Promise.withResolvers<boolean>();
let awaited = { count: greetings.length, ...Promise.withResolvers<void>() };
void showSubscriber();
if (!(await connected.promise)) await end((await subscriber.exited) || 1);

const publish = language.publisher(authority);
const publisher = spawned(
  () => Bun.spawn([...publish], { cwd: here, env, stdin: "pipe", stdout: "inherit", stderr: "inherit" }),
  publish,
);
programs.push(publisher);
void publisher.exited.then((code) => (code === 0 ? undefined : end(code)));
for (const text of greetings) await send(text);
await awaited.promise;

if (process.stdin.isTTY) {
  console.log("\nType a line and press Enter; Ctrl+D ends.");
  for await (const text of console) {
    if (text === "") continue;
    awaited = { count: awaited.count + 1, ...Promise.withResolvers<void>() };
    await send(text);
  }
}
await publisher.stdin.end();
await publisher.exited;
await awaited.promise;
await end(0);

async function send(text: string): Promise<void> {
  await publisher.stdin.write(`${text}\n`);
  await publisher.stdin.flush();
}

/** Passes on what the subscriber prints, and notes when it is connected and when what was sent last is there. */
async function showSubscriber(): Promise<void> {
  for await (const line of linesOf(subscriber.stdout)) {
    console.log(line);
    if (line.startsWith("Connected.")) connected.resolve(true);
    if (line.startsWith("Received: ")) received += 1;
    if (received >= awaited.count) awaited.resolve();
  }
  connected.resolve(false);
}

async function* linesOf(output: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of output.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split(/\r?\n/);
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/** Ends what was started, and this program with it. */
async function end(exitCode: number): Promise<never> {
  for (const program of programs) program.kill("SIGTERM");
  await Promise.all(programs.map((program) => program.exited));
  process.exit(exitCode);
}
