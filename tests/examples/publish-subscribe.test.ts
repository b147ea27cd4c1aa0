import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { type Server, startServer } from "../support/server.ts";
import { Program } from "./program.ts";

const folder = fileURLToPath(new URL("../../examples/publish-subscribe", import.meta.url));
const greetings = ["Hello, world!", "The tide is coming in.", "Grüße, 世界 🌊"];
const hasDotnet = Bun.which("dotnet") !== null;
const preparationMs = 200_000; // packages are fetched the first time
const node = process.env["TIDEWIRE_TEST_NODE"] ?? "node";
const python = process.env["TIDEWIRE_TEST_PYTHON"];
const maven = process.env["TIDEWIRE_TEST_MAVEN"];
const programs: Program[] = [];

function start(command: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  const started = new Program(command, {
    cwd: folder,
    env: {
      LANG: "C.UTF-8", // by which Java reads its arguments
      ...(python === undefined ? {} : { PYTHON: python }),
      ...(maven === undefined ? {} : { MAVEN: maven }),
      ...env,
    },
  });
  programs.push(started);
  return started;
}

afterEach(async () => {
  for (const each of programs.splice(0)) await each.stop();
});

/** What a user sets by hand; with https also the authority, under the name that `tidewire run` gives it. */
function environmentOf(server: Server): Readonly<Record<string, string>> {
  const [, authority] = /^export NODE_EXTRA_CA_CERTS=(.+)$/m.exec(server.output()) ?? [];
  return {
    WebPubSubConnectionString: server.connectionString,
    ...(authority === undefined ? {} : { NODE_EXTRA_CA_CERTS: authority }),
  };
}

describe.each(["http", "https"] as const)("tutorial: publish and subscribe, %s", (scheme) => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer({ service: { listen: [{ url: `${scheme}://localhost:0` }] } });
  });
  afterAll(() => server.stop());

  async function showsGreetings(language: string): Promise<void> {
    const shown = start([process.execPath, "start.ts", language], environmentOf(server));
    const exitCode = await shown.ended(preparationMs);
    expect({ exitCode, complaints: shown.complaints }).toEqual({ exitCode: 0, complaints: "" });
    const received = shown.lines.untaken.filter((line) => line.startsWith("Received: "));
    expect(received).toEqual(greetings.map((text) => `Received: ${text}`));
  }

  test("M-2 TypeScript: what the publisher sends is what the subscriber prints", () => showsGreetings("typescript"));

  test("M-2 Python: what the publisher sends is what the subscriber prints", () => showsGreetings("python"));

  test("M-2 Java: what the publisher sends is what the subscriber prints", () => showsGreetings("java"));

  test.skipIf(!hasDotnet)(
    `M-2 C#: what the publisher sends is what the subscriber prints${hasDotnet ? "" : " (no dotnet on the path)"}`,
    () => showsGreetings("csharp"),
  );
});

describe("publish and subscribe, from one language to another", () => {
  const interpreter = python ?? `${folder}/python/.venv/bin/python`; // made by the tests above
  const java = ["java", "-cp", "java/target/classes:java/target/lib/*"];
  const pairs = {
    bun: [
      [process.execPath, "javascript/subscriber.ts"],
      [process.execPath, "javascript/publisher.ts"],
    ],
    node: [
      [node, "javascript/subscriber.ts"],
      [node, "javascript/publisher.ts"],
    ],
    python: [
      [interpreter, "python/subscriber.py"],
      [interpreter, "python/publisher.py"],
    ],
    java: [
      [...java, "Subscriber"],
      [...java, "Publisher"],
    ],
  } as const;
  let server: Server;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  test("every publisher reaches every subscriber; text stays text", async () => {
    const subscribers = Object.values(pairs).map(([subscriber]) => start(subscriber, environmentOf(server)));
    await Promise.all(subscribers.map((each) => each.line("Connected. Waiting for messages.")));
    for (const [language, [, publisher]] of Object.entries(pairs)) {
      const texts = [`from ${language}`, '{"looks":"like JSON"} <b>é 🌊</b>'];
      const published = start([...publisher, ...texts], environmentOf(server));
      for (const text of texts) await published.line(`Sent: ${text}`);
      expect(await published.ended()).toBe(0);
      for (const each of subscribers) for (const text of texts) await each.line(`Received: ${text}`);
    }
  });

  test("a connection that the service closes is said, and the Python client connects again", async () => {
    const plain = ["bun", "java"].map((name) => start(pairs[name as "bun" | "java"][0], environmentOf(server)));
    const library = start(pairs.python[0], environmentOf(server));
    const all = [...plain, library];
    await Promise.all(all.map((each) => each.line("Connected. Waiting for messages.")));
    await server.rest({ method: "POST", path: "/api/hubs/notices/:closeConnections" });
    for (const each of plain) {
      expect(await each.ended()).toBe(1);
      expect(each.complaints).toMatch(/^The connection was closed \(\d{4}\)\.\n$/);
    }
    await library.line("Connected. Waiting for messages.");
    await server.rest({
      method: "POST",
      path: "/api/hubs/notices/:send",
      body: "again",
    });
    await library.line("Received: again");
  });

  test("every program says what is missing without a connection string", async () => {
    const commands = [...Object.values(pairs).flat(), [process.execPath, "start.ts"]];
    for (const command of commands) {
      const started = start(command);
      expect(await started.ended()).toBe(command[0] === interpreter ? 1 : 2);
      expect(started.complaints).toBe("Set WebPubSubConnectionString to the connection string of the service.\n");
    }
  });

  test("start.ts names the languages there are, and what is not installed", async () => {
    const unknown = start([process.execPath, "start.ts", "cobol"], environmentOf(server));
    expect(await unknown.ended()).toBe(2);
    expect(unknown.complaints).toContain('There is no "cobol" here; there are typescript, python, java, csharp.');
    const missing = start([process.execPath, "start.ts", "java"], { ...environmentOf(server), MAVEN: "no-such-mvn" });
    expect(await missing.ended()).toBe(1);
    expect(missing.complaints).toContain("Cannot run no-such-mvn: is it installed?");
  });
});
