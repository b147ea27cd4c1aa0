import { describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../support/free-port.ts";
import { inTime } from "../support/inbox.ts";
import { cleanUpLater } from "../support/reaper.ts";
import { tempDir } from "../support/temp.ts";

const project = fileURLToPath(new URL("../../", import.meta.url));
const examples = join(project, "examples");
/** npm looks at every package, and an application may build its page, on a busy machine. */
const startDeadlineMs = 180_000;
const stopDeadlineMs = 60_000;

/** Examples without a page, and what they print once they work; the others print `<Title>: http://localhost:<port>`. */
const withoutPage: Readonly<Record<string, RegExp>> = { "publish-subscribe": /^Received: \S.*$/m };
const pageAddress = /^\S.*: (http:\/\/localhost:\d+)\/?$/m;

/** What is in a folder before an example is built there, or because it was run. */
const noSource = new Set(["package.json", "node_modules", "data", "dist"]);
const names = readdirSync(examples).filter((name) => {
  const folder = join(examples, name);
  return statSync(folder).isDirectory() && readdirSync(folder).some((file) => !noSource.has(file));
});

const read = (path: string): string => readFileSync(join(examples, path), "utf8");

/** The first block of shell commands. */
const commandOf = (readme: string): string => /^```sh\n(.+?)\n```$/ms.exec(readme)?.[1] ?? "";

test("there are examples", () => {
  expect(names).toContain("chat");
});

describe.each(names)("the README of examples/%s", (name) => {
  const readme = read(`${name}/README.md`);

  test("says on one screen what it shows, how to run it in one command, and what to look at", () => {
    expect(commandOf(readme)).toBe(`npm install && npm start -w examples/${name}`);
    expect(readme).toMatch(/^# \S/);
    expect(readme).toMatch(/^#+ .*\blook at\b/m);
    expect(readme).toContain("https");
    expect(readme).toContain("WebPubSubConnectionString");
    if (!(name in withoutPage)) expect(readme).toMatch(/http:\/\/localhost:30\d\d\b/);
    expect(readme.split("\n").length).toBeLessThanOrEqual(60);
  });

  test("names only files that are there", () => {
    const links = Array.from(readme.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g), ([, path = ""]) => path);
    for (const path of links) expect([path, existsSync(join(examples, name, path))]).toEqual([path, true]);
  });

  test("is linked from the front page, with a picture and the command", () => {
    const row = read("README.md")
      .split("\n")
      .find((line) => line.includes(`[**${name}**](${name})`));
    expect(row).toContain(`\`${commandOf(readme)}\``);
    if (name in withoutPage) return;
    expect(row).toContain(`(${name}/screenshot.png)`);
    const picture = readFileSync(join(examples, name, "screenshot.png"));
    expect(picture.subarray(1, 4).toString("latin1")).toBe("PNG");
    expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([1280, 800]);
    expect(picture.length).toBeLessThan(150 * 1024);
  });

  test("its command, as written, starts everything, and Ctrl-C ends everything", async () => {
    const lock = read("../package-lock.json");
    const port = await freePort();
    const command = startCommand(commandOf(readme), port);
    try {
      if (name in withoutPage) await command.printed(withoutPage[name] ?? /^$/);
      else {
        const [, url = ""] = await command.printed(pageAddress);
        expect(new URL(url).port).toBe(String(port));
        const page = await fetch(url);
        expect(page.status).toBe(200);
        expect(page.headers.get("Content-Type")).toStartWith("text/html");
        expect(await page.text()).toMatch(/<title>[^<]+<\/title>/);
      }
    } finally {
      await command.interrupt();
    }
    const still = await fetch(`http://localhost:${port}`).catch(() => null);
    expect(still).toBeNull();
    expect(read("../package-lock.json")).toBe(lock);
  });
});

interface Command {
  /** Resolves with what matches in its standard output; rejects when it ends, or time does, without. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /**
   * Ends it as Ctrl-C in a terminal does: SIGINT for everything in its process group. Resolves when nothing that it
   * started, directly or not, holds its output any more.
   */
  interrupt(): Promise<void>;
}

function startCommand(command: string, port: number): Command {
  const home = tempDir();
  const child = spawn("bash", ["-c", command], {
    cwd: project,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: home,
      XDG_STATE_HOME: join(home, "state"),
      npm_config_update_notifier: "false",
      // What is installed is installed: these tests are not about the network.
      npm_config_offline: "true",
      PORT: String(port),
      DATA_DIR: tempDir(),
    },
  });
  const group = -(child.pid ?? Number.NaN);
  cleanUpLater("started", group);
  const closed = closeOf(child);
  void closed.then(() => cleanUpLater("ended", group));
  let output = "";
  let all = "";
  let look = (): void => {};
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    all += text;
    look();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    all += text;
  });
  return {
    async printed(pattern) {
      const found = Promise.withResolvers<RegExpExecArray>();
      look = () => {
        const match = pattern.exec(output);
        if (match !== null) found.resolve(match);
      };
      look();
      void closed.then(() => found.reject(new Error(`"${command}" ended:\n${all}`)));
      try {
        return await inTime(found.promise, `${pattern} in the output of "${command}"`, startDeadlineMs);
      } catch (error) {
        throw new Error(`${String(error)}\n${all}`);
      }
    },
    async interrupt() {
      if (child.exitCode === null && child.signalCode === null) process.kill(group, "SIGINT");
      await inTime(closed, `end of everything that "${command}" started`, stopDeadlineMs).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${all}`);
      });
    },
  };
}

/** Once it has ended and nobody has its output open, which all its descendants inherit. */
function closeOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve());
  });
}
