import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SendMessageError, WebPubSubClient } from "@azure/web-pubsub-client";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launchChromium, trustOf } from "../browser/chromium.ts";
import { type Example, startExample } from "../support/example.ts";
import { type FaultyProxy, startFaultyProxy } from "../support/faulty-proxy.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { tempDir } from "../support/temp.ts";
import { Command, linesOf, type SeenLine, scrollThrough } from "./log-stream-app.ts";

const deadlineMs = 30_000;

const texts = (count: number, from = 1): string[] =>
  Array.from({ length: count }, (_, at) => `line ${from + at} of a log, ${"x".repeat((from + at) % 90)}`);
const numbered = (lines: readonly string[], from = 1): SeenLine[] =>
  lines.map((text, at) => ({ number: from + at, text }));

function fileOf(lines: readonly string[]): string {
  const file = join(tempDir(), "app.log");
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
  return file;
}

/** What the service sends, as far as it is looked at here. */
interface Frame {
  readonly connectionId?: string;
  readonly data?: { readonly first: number; readonly lines: unknown };
}

/** The numbers of the lines in it. */
const numbersOf = ({ data }: Frame): number[] =>
  Array.isArray(data?.lines) ? data.lines.map((_, at) => data.first + at) : [];

describe.each(["http", "https"] as const)("log-stream example, %s", (scheme) => {
  let app: Example;
  let browser: Browser;
  let problems: string[] = [];
  const cleanUps: (() => unknown)[] = [];
  let commandEnv: Record<string, string> = {};

  beforeAll(async () => {
    app = await startExample("log-stream", { scheme, config: null, env: { DEMO: "off" } });
    browser = await launchChromium(scheme === "https" ? [await trustOf(app.server)] : []);
    const [, authority] = /^export NODE_EXTRA_CA_CERTS=(.+)$/m.exec(app.server.output()) ?? [];
    if (scheme === "https" && authority !== undefined) commandEnv = { NODE_EXTRA_CA_CERTS: authority };
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    for (const cleanUp of cleanUps.splice(0)) await cleanUp();
    expect(problems.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await browser.close();
    await app.stop();
  });

  /** A browser of its own that watches; `sockets` are the WebSockets it opened, `wire` the numbers of all lines they brought. */
  async function watchInBrowser({ url = app.url, ...options }: BrowserContextOptions & { readonly url?: string } = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    context.setDefaultTimeout(deadlineMs);
    const page = await context.newPage();
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    const sockets: URL[] = [];
    const wire: number[] = [];
    const connection = Promise.withResolvers<string>();
    page.on("websocket", (socket) => {
      sockets.push(new URL(socket.url()));
      socket.on("framereceived", ({ payload }) => {
        const frame = JSON.parse(String(payload)) as Frame;
        wire.push(...numbersOf(frame));
        if (frame.connectionId !== undefined) connection.resolve(frame.connectionId);
      });
    });
    await page.goto(url);
    await page.getByText("Live").waitFor();
    return { page, sockets, wire, connectionId: await connection.promise };
  }

  async function watchInTerminal(args: readonly string[] = [], server = app.url): Promise<Command> {
    const command = new Command("watch.ts", ["--server", server, ...args], commandEnv);
    cleanUps.push(() => {
      command.kill("SIGKILL");
      return command.ended();
    });
    await command.until("it watches", () => command.stderr.includes("Watching"));
    return command;
  }

  /** Starts a publisher that reads what it is given by `write`. */
  function startPublisher(args: readonly string[] = [], server = app.url): Command {
    const command = new Command("publish.ts", ["--server", server, ...args], commandEnv);
    cleanUps.push(() => {
      command.kill("SIGKILL");
      return command.ended();
    });
    return command;
  }

  async function publish(lines: readonly string[]): Promise<void> {
    const command = startPublisher([fileOf(lines)]);
    expect({ exitCode: await command.ended(), said: command.stderr }).toEqual({
      exitCode: 0,
      said: `${lines.length} lines published, every one of them acknowledged.\n`,
    });
  }

  /** The same application once more, whose clients reach the service through a proxy. */
  async function startBehindProxy(): Promise<{ readonly proxy: FaultyProxy; readonly url: string }> {
    const { server } = app;
    const { port } = new URL(server.endpoint);
    const proxy = await startFaultyProxy({ target: `http://127.0.0.1:${port}`, random: new SeededRandom(1) });
    const WebPubSubConnectionString = server.connectionString.replace(/Endpoint=[^;]+/, `Endpoint=${proxy.url}`);
    const behind = new Command("server.ts", [], { PORT: "0", DEMO: "off", WebPubSubConnectionString });
    cleanUps.push(async () => {
      behind.kill("SIGTERM");
      expect(await behind.ended()).toBe(0);
      await proxy.stop();
    });
    const address = /http:\S+/;
    await behind.until("its address", () => address.test(behind.stdout));
    return { proxy, url: address.exec(behind.stdout)?.[0] ?? "" };
  }

  const received = (page: Page, count: number) =>
    page.waitForFunction(
      (wanted) => document.getElementById("received")?.textContent === wanted,
      new Intl.NumberFormat("en").format(count),
    );
  const gapsOf = (page: Page) => page.locator("#gaps").innerText();
  const hasLines = (terminal: Command, count: number) =>
    terminal.until(`line ${count}`, () => linesOf(terminal).length >= count);
  const row = (page: Page, text: string) => page.locator(".row").filter({ hasText: text });

  test("two browsers and a terminal see every line in order; who joins later starts there", async () => {
    const [one, two] = [await watchInBrowser(), await watchInBrowser()];
    const terminal = await watchInTerminal();
    await one.page.getByText("No lines yet").waitFor();
    const publisher = startPublisher(["--source", "shop"]);
    const [early, late] = [texts(3000), texts(1500, 3001)];
    publisher.write(early);
    for (const { page } of [one, two]) await received(page, 3000);
    const three = await watchInBrowser();
    expect(new URL(three.sockets[0] ?? "").protocol).toBe(scheme === "https" ? "wss:" : "ws:");
    publisher.write(late);
    publisher.endInput();
    expect({ exitCode: await publisher.ended(), said: publisher.stderr }).toEqual({
      exitCode: 0,
      said: "4500 lines published, every one of them acknowledged.\n",
    });

    for (const { page } of [one, two]) {
      await received(page, 4500);
      expect(await scrollThrough(page)).toEqual(numbered([...early, ...late]));
      expect(await gapsOf(page)).toBe("0");
    }
    await received(three.page, 1500);
    expect(await scrollThrough(three.page)).toEqual(numbered(late, 3001));
    expect(await gapsOf(three.page)).toBe("0");
    await three.page.locator("#log").evaluate((log) => log.scrollTo(0, 0));
    await row(three.page, "Joined at line 3,001").waitFor();

    await hasLines(terminal, 4500);
    expect(linesOf(terminal)).toEqual(numbered([...early, ...late]));
    terminal.kill("SIGINT");
    expect(await terminal.ended()).toBe(0);
    expect(terminal.stderr).toEndWith("4500 lines received, gaps: 0\n");
  });

  // What follows knows nothing of the scheme.
  if (scheme === "https") return;

  describe("whatever happens", () => {
    test("a cut viewer gets what it missed, once and in order: by the page's own button", async () => {
      const { page, sockets } = await watchInBrowser();
      const publisher = startPublisher();
      publisher.write(texts(500));
      await received(page, 500);
      await page.getByRole("button", { name: "Cut my connection" }).click();
      await page.getByText("Connection lost, recovering").waitFor();
      publisher.write(texts(1000, 501));
      publisher.endInput();
      expect(await publisher.ended()).toBe(0);
      await page.getByText("Live").waitFor();
      await received(page, 1500);
      expect(await scrollThrough(page)).toEqual(numbered(texts(1500)));
      expect(await gapsOf(page)).toBe("0");
      expect(sockets.map(({ searchParams }) => searchParams.has("awps_connection_id"))).toEqual([false, true]);
    });

    test("a cut viewer gets what it missed, once and in order: lost on the way", async () => {
      const { proxy, url } = await startBehindProxy();
      const { page, sockets } = await watchInBrowser({ url });
      const terminal = await watchInTerminal([], url);
      const witness = await watchInTerminal();
      const publisher = startPublisher();
      let sent = 0;
      for (const fault of ["rst", "fin", "rst"] as const) {
        publisher.write(texts(400, sent + 1));
        await received(page, sent + 400);
        proxy.swallowAnswers();
        publisher.write(texts(400, sent + 401));
        await hasLines(witness, sent + 800);
        proxy.cut(fault);
        await received(page, sent + 800);
        sent += 800;
      }
      publisher.endInput();
      expect(await publisher.ended()).toBe(0);
      await hasLines(terminal, sent);
      expect(await scrollThrough(page)).toEqual(numbered(texts(sent)));
      expect(linesOf(terminal)).toEqual(numbered(texts(sent)));
      expect(await gapsOf(page)).toBe("0");
      expect(terminal.stderr).not.toContain("missing");
      expect(sockets).toHaveLength(4);
      expect(sockets.slice(1).every(({ searchParams }) => searchParams.has("awps_connection_id"))).toBe(true);
    });

    test("a browser that is offline for a while misses nothing", async () => {
      const { page } = await watchInBrowser();
      const publisher = startPublisher();
      publisher.write(texts(100));
      await received(page, 100);
      await page.context().setOffline(true);
      publisher.write(texts(900, 101));
      publisher.endInput();
      expect(await publisher.ended()).toBe(0);
      await page.context().setOffline(false);
      await received(page, 1000);
      expect(await scrollThrough(page)).toEqual(numbered(texts(1000)));
      expect(await gapsOf(page)).toBe("0");
      problems = problems.filter((text) => !text.includes("ERR_INTERNET_DISCONNECTED"));
    });

    test("a cut publisher sends again what was not confirmed, and nothing comes twice, not even on the wire", async () => {
      const { proxy, url } = await startBehindProxy();
      const { page, wire } = await watchInBrowser();
      const publisher = startPublisher([], url);
      let sent = 0;
      for (const fault of ["rst", "fin", "rst"] as const) {
        publisher.write(texts(300, sent + 1));
        await received(page, sent + 300);
        // What it sends from here on arrives, but it never learns.
        proxy.swallowAnswers();
        publisher.write(texts(5, sent + 301));
        await page.waitForFunction((least) => {
          const count = document.getElementById("received")?.textContent ?? "";
          return Number(count.replaceAll(",", "")) > least;
        }, sent + 300);
        proxy.cut(fault);
        await received(page, sent + 305);
        sent += 305;
      }
      publisher.endInput();
      expect(await publisher.ended()).toBe(0);
      expect(await scrollThrough(page)).toEqual(numbered(texts(sent)));
      expect(wire).toEqual(numbered(texts(sent)).map(({ number }) => number));
      expect(await gapsOf(page)).toBe("0");
      expect(proxy.accepted).toBe(4);
    });

    test("a publisher that is cut off for good, and for a while, goes on where it was", async () => {
      const { page, connectionId } = await watchInBrowser();
      const publisher = startPublisher();
      publisher.write(texts(100));
      await received(page, 100);
      await app.stopApp();
      const path = `/api/hubs/logstream/:closeConnections?excluded=${connectionId}`;
      expect((await app.server.rest({ method: "POST", path })).status).toBe(204);
      await publisher.until("it is lost", () => publisher.stderr.includes("looking for a new one"));
      publisher.write(texts(100, 101));
      publisher.endInput();
      await app.startApp();
      expect(await publisher.ended()).toBe(0);
      await received(page, 200);
      expect(await scrollThrough(page)).toEqual(numbered(texts(200)));
      expect(await gapsOf(page)).toBe("0");
    });

    test("a viewer whose connection is gone for good says which lines it missed", async () => {
      const { page } = await watchInBrowser();
      const publisher = startPublisher();
      publisher.write(texts(10));
      await received(page, 10);
      const comingBack = Promise.withResolvers<void>();
      const cameBack = Promise.withResolvers<void>();
      await page.route("**/negotiate*", async (route) => {
        cameBack.resolve();
        await comingBack.promise;
        await route.continue();
      });
      const path = "/api/hubs/logstream/groups/logs/:closeConnections";
      expect((await app.server.rest({ method: "POST", path })).status).toBe(204);
      await cameBack.promise;
      await page.getByText("No connection, looking for a new one").waitFor();
      const terminal = await watchInTerminal();
      publisher.write(texts(20, 11));
      await hasLines(terminal, 20);
      comingBack.resolve();
      await page.getByText("Live").waitFor();
      publisher.write(texts(5, 31));
      publisher.endInput();
      await received(page, 15);
      await row(page, "Lines 11 to 30 are missing").waitFor();
      expect(await gapsOf(page)).toBe("1");
      expect(await scrollThrough(page)).toEqual([...numbered(texts(10)), ...numbered(texts(5, 31), 31)]);
    });

    test("levels, source and search filter the lines; the search is marked, and text stays text", async () => {
      const { page } = await watchInBrowser();
      await publish([
        "DEBUG nothing much",
        "10:15 INFO <b>bold</b> & order 7",
        "WARN order 8 is slow",
        "\u001b[31mERROR\u001b[0m ORDER 9 failed\u0007",
      ]);
      await received(page, 4);
      const shown = () => page.locator(".row .text").allInnerTexts();
      const all = [
        "DEBUG nothing much",
        "10:15 INFO <b>bold</b> & order 7",
        "WARN order 8 is slow",
        "ERROR ORDER 9 failed",
      ];
      expect(await shown()).toEqual(all);
      expect(await page.locator(".row .level").allInnerTexts()).toEqual(["debug", "info", "warn", "error"]);
      expect(await page.locator(".row b").count()).toBe(0);

      await page.getByRole("button", { name: "warn" }).click();
      await page.getByText("3 of 4 shown").waitFor();
      expect(await shown()).toEqual(all.filter((text) => !text.startsWith("WARN")));
      await page.getByRole("searchbox").fill("order");
      await page.getByText("2 of 4 shown").waitFor();
      expect(await page.locator("mark").allInnerTexts()).toEqual(["order", "ORDER"]);
      await page.getByRole("button", { name: "warn" }).click();
      await page.getByText("3 of 4 shown").waitFor();
      await page.getByRole("searchbox").fill(".*(");
      await page.getByText("No line matches").waitFor();
      await page.getByRole("searchbox").fill("");

      const other = startPublisher(["--source", "other"]);
      other.write(["INFO from elsewhere"]);
      other.endInput();
      await received(page, 5);
      await page.getByLabel("Source", { exact: true }).selectOption("other");
      await page.getByText("1 of 5 shown").waitFor();
      expect(await shown()).toEqual(["INFO from elsewhere"]);
    });

    test("a paused page stays where it is and counts what is new", async () => {
      const { page } = await watchInBrowser();
      const publisher = startPublisher();
      publisher.write(texts(200));
      await received(page, 200);
      await row(page, "line 200 of").waitFor();
      await page.getByRole("button", { name: "Pause" }).click();
      publisher.write(texts(300, 201));
      await page.getByRole("button", { name: "300 new lines" }).waitFor();
      expect(await row(page, "line 200 of").isVisible()).toBe(true);
      expect(await row(page, "line 500 of").count()).toBe(0);
      await page.getByRole("searchbox").fill("line 3");
      await page.getByRole("button", { name: "100 new lines" }).waitFor();
      await page.getByRole("searchbox").fill("");
      await page.getByRole("button", { name: "300 new lines" }).click();
      await row(page, "line 500 of").waitFor();
      expect(await page.getByRole("button", { name: "new line" }).count()).toBe(0);

      await page.locator("#log").hover();
      await page.mouse.wheel(0, -1000);
      await page.getByRole("button", { name: "Follow" }).waitFor();
      publisher.write(texts(1, 501));
      await page.getByRole("button", { name: "1 new line" }).waitFor();
      await page.mouse.wheel(0, 100_000);
      await page.getByRole("button", { name: "Pause" }).waitFor();
      await row(page, "line 501 of").waitFor();
    });

    test("a line is read in full, with the keyboard too", async () => {
      const { page } = await watchInBrowser({ viewport: { width: 375, height: 700 } });
      const long = `INFO ${"a long line ".repeat(60)}that ends here`;
      await publish(["INFO first", long, "INFO last"]);
      await received(page, 3);
      const detail = page.getByLabel("Selected line");
      await page.locator("#log").focus();
      await page.keyboard.press("ArrowDown");
      await detail.getByText("INFO last").waitFor();
      await page.keyboard.press("ArrowUp");
      await detail.getByText("that ends here").waitFor();
      await page.keyboard.press("Escape");
      await detail.waitFor({ state: "hidden" });
      await row(page, "INFO first").click();
      await detail.getByText("INFO first").waitFor();
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width).toBe(375);
    });

    test("of many lines the page keeps the last 10,000, and draws those in view", async () => {
      const { page } = await watchInBrowser();
      await publish(texts(12_000));
      await received(page, 12_000);
      await row(page, "line 12000 of").waitFor();
      expect(await page.locator(".row").count()).toBeLessThan(100);
      expect(await scrollThrough(page)).toEqual(numbered(texts(10_000, 2001), 2001));
      expect(await gapsOf(page)).toBe("0");
    });

    test("the terminal shows what it was asked for", async () => {
      const terminal = await watchInTerminal(["--level", "warn", "--grep", "order [0-9]"]);
      await publish(["INFO order 1", "WARN order 2", "WARN nothing", "ERROR order 3"]);
      await hasLines(terminal, 2);
      terminal.kill("SIGTERM");
      expect(await terminal.ended()).toBe(0);
      expect(linesOf(terminal)).toEqual([
        { number: 2, text: "WARN order 2" },
        { number: 4, text: "ERROR order 3" },
      ]);
      expect(terminal.stderr).toEndWith("4 lines received, gaps: 0\n");
    });

    test.each([
      ["publish.ts --server http://127.0.0.1:9 app.log", 1, "Cannot publish: "],
      ["publish.ts one.log two.log", 2, "usage: "],
      ["watch.ts --server http://127.0.0.1:9", 1, "Cannot watch: "],
      ["watch.ts --server ftp://nowhere", 2, '"ftp://nowhere" is not an address'],
      ["watch.ts --level loud", 2, 'There is no level "loud".'],
      ["watch.ts --grep (", 2, '"(" is not a pattern.'],
      ["watch.ts --loud", 2, "Unknown option"],
    ])("%s ends with %d and says why", async (line, exitCode, said) => {
      const [script = "", ...args] = line.split(" ");
      const command = new Command(script, args);
      command.endInput();
      expect(await command.ended()).toBe(exitCode);
      expect(command.stderr).toContain(said);
    });

    test("a file that is not there is said to be missing", async () => {
      const command = startPublisher(["no-such-file.log"]);
      expect(await command.ended()).toBe(1);
      expect(command.stderr).toContain("Cannot publish: ENOENT");
    });

    test("Ctrl-C ends the publisher when what it has read is delivered", async () => {
      const { page } = await watchInBrowser();
      const publisher = startPublisher();
      publisher.write(texts(20));
      await received(page, 20);
      publisher.kill("SIGINT");
      expect(await publisher.ended()).toBe(0);
      expect(publisher.stderr).toBe("20 lines published, every one of them acknowledged.\n");
    });

    test("a viewer's URL can not publish, a publisher's can not listen, and nobody gets any other", async () => {
      const { page } = await watchInBrowser();
      const attempt = async (role: string, act: (client: WebPubSubClient) => Promise<unknown>) => {
        const { url } = (await (await fetch(`${app.url}/negotiate?role=${role}`)).json()) as { url: string };
        const client = new WebPubSubClient(url, { messageRetryOptions: { maxRetries: 0 } });
        await client.start();
        const error: unknown = await act(client).catch((caught: unknown) => caught);
        client.stop();
        return error instanceof SendMessageError ? error.errorDetail?.name : "allowed";
      };
      const send = (group: string, data: object) => (client: WebPubSubClient) =>
        client.sendToGroup(group, data, "json");
      const line = { time: 0, level: "info", source: "test", text: "INFO hello" };
      const batch = { stream: "s", first: 1, lines: [line] };
      expect(await attempt("viewer", send("logs", batch))).toBe("Forbidden");
      expect(await attempt("viewer", (client) => client.joinGroup("other"))).toBe("Forbidden");
      expect(await attempt("publisher", (client) => client.joinGroup("logs"))).toBe("Forbidden");
      expect(await attempt("publisher", send("other", batch))).toBe("Forbidden");
      // What is not a batch is passed over.
      expect(await attempt("publisher", send("logs", { ...batch, lines: [{ ...line, level: "loud" }] }))).toBe(
        "allowed",
      );
      expect(await attempt("publisher", send("logs", { lines: "none" }))).toBe("allowed");
      expect(await attempt("publisher", send("logs", batch))).toBe("allowed");
      await received(page, 1);
      // What is repeated is shown once.
      const lines = texts(4).map((text) => ({ ...line, text }));
      expect(await attempt("publisher", send("logs", { ...batch, lines: lines.slice(0, 3) }))).toBe("allowed");
      expect(await attempt("publisher", send("logs", { ...batch, first: 2, lines: lines.slice(1) }))).toBe("allowed");
      await received(page, 4);
      expect((await scrollThrough(page)).map(({ number }) => number)).toEqual([1, 2, 3, 4]);
      expect(await gapsOf(page)).toBe("0");
      expect((await fetch(`${app.url}/negotiate?role=admin`)).status).toBe(400);
      expect((await fetch(`${app.url}/negotiate`)).status).toBe(400);
    });
  });
});

test("log-stream example: without a file of yours there is the log of a shop", async () => {
  const app = await startExample("log-stream", { config: null });
  try {
    const watcher = new Command("watch.ts", ["--server", app.url]);
    const sources = () => new Set([...watcher.stdout.matchAll(/ (?:debug|info) +(\S+) /g)].map(([, source]) => source));
    await watcher.until("lines of three services", () => sources().size >= 3);
    watcher.kill("SIGINT");
    expect(await watcher.ended()).toBe(0);
  } finally {
    await app.stop();
  }
});

test("log-stream example: a port that is taken is said to be", async () => {
  const app = await startExample("log-stream", { config: null, env: { DEMO: "off" } });
  try {
    const { port } = new URL(app.url);
    const env = { PORT: port, WebPubSubConnectionString: app.server.connectionString };
    const second = new Command("server.ts", [], env);
    expect(await second.ended()).toBe(1);
    expect(second.stderr).toContain(`Cannot listen on port ${port}`);
    const lost = new Command("server.ts", [], { PORT: port });
    expect(await lost.ended()).toBe(2);
    expect(lost.stderr).toContain("WebPubSubConnectionString");
  } finally {
    await app.stop();
  }
});
