import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { launchChromium, trustOf } from "../browser/chromium.ts";
import { type Example, startExample } from "../support/example.ts";
import { freePort } from "../support/free-port.ts";
import { forgeEvents } from "./forged-events.ts";

const deadlineMs = 30_000;
const folder = fileURLToPath(new URL("../../examples/chat/", import.meta.url));
const bun = process.execPath;
const maven = process.env["TIDEWIRE_TEST_MAVEN"] ?? "mvn";

/** The servers and how each is started, over http and https, as the scripts of the example do. */
const servers = {
  TypeScript: { http: [bun, "server.ts"], https: [bun, "server.ts"] },
  Java: { http: [maven, "-q", "-B", "-f", "java", "compile", "exec:java"], https: ["sh", "java/https.sh"] },
} as const;
const variants = [
  ["TypeScript", "http"],
  ["TypeScript", "https"],
  ["Java", "http"],
  ["Java", "https"],
] as const;

function startChat(language: keyof typeof servers, scheme: "http" | "https"): Promise<Example> {
  const javaHome = process.env["JAVA_HOME"];
  const env = { MAVEN: maven, ...(javaHome === undefined ? {} : { JAVA_HOME: javaHome }) };
  return startExample("chat", { scheme, command: servers[language][scheme], env });
}

describe.each(variants)("tutorial: the chat example, server in %s, %s", (language, scheme) => {
  let app: Example;
  let browser: Browser;
  /** What the pages of a test complained about. */
  let complaints: string[] = [];
  beforeAll(async () => {
    app = await startChat(language, scheme);
    browser = await launchChromium(scheme === "https" ? [await trustOf(app.server)] : []);
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await app.server.rest({ method: "POST", path: "/api/hubs/chat/:closeConnections" });
    const found = complaints;
    complaints = [];
    expect(found).toEqual([]);
  });
  afterAll(async () => {
    await browser.close();
    await app.stop();
  });

  /** A browser of its own on the page; `sockets` are the WebSockets it opened. */
  async function openPage() {
    const context = await browser.newContext();
    context.setDefaultTimeout(deadlineMs);
    const page = await context.newPage();
    const sockets: string[] = [];
    page.on("websocket", (socket) => sockets.push(socket.url()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      // A refused name is a refused request, which Chromium itself writes to the console.
      if (message.type() === "error" && !message.text().includes("400 (Bad Request)")) complaints.push(message.text());
    });
    await page.goto(app.url);
    return { page, sockets };
  }

  async function join(name: string) {
    const opened = await openPage();
    await opened.page.getByLabel("Your name").fill(name);
    await opened.page.getByRole("button", { name: "Join" }).click();
    await opened.page.getByText(`online as ${name}`).waitFor();
    return opened;
  }

  async function say(page: Page, text: string) {
    await page.getByLabel("Message", { exact: true }).fill(text);
    await page.getByRole("button", { name: "Send" }).click();
  }

  const line = (page: Page, kind: string, text: string) =>
    page.locator(`#lines > .${kind}`).filter({ hasText: text }).waitFor();

  const problem = (page: Page, text: string) => page.locator("#outbox > .problem").filter({ hasText: text });

  const linesOf = (page: Page) => page.locator("#lines > li").allInnerTexts();

  test("M-2 two browsers chat both ways, and see who joins and leaves", async () => {
    const alice = await join("Alice");
    await line(alice.page, "notice", "Alice joined");
    await alice.page.getByText("Nothing has been said").waitFor();
    const bob = await join("Bob é/1");
    await line(alice.page, "notice", "Bob é/1 joined");
    await line(bob.page, "notice", "Bob é/1 joined");
    expect(alice.sockets).toHaveLength(1);
    expect(new URL(alice.sockets[0] ?? "").protocol).toBe(scheme === "https" ? "wss:" : "ws:");

    await say(alice.page, "Hello Bob");
    await line(bob.page, "message", "Hello Bob");
    await line(alice.page, "message.is-mine", "Hello Bob");
    await say(bob.page, "<b>Hi</b> & grüß dich 🌍");
    await line(alice.page, "message", "<b>Hi</b> & grüß dich 🌍");
    await line(alice.page, "message", "Bob é/1");
    expect(await alice.page.locator("#lines .text b").count()).toBe(0);
    expect(await alice.page.getByText("Nothing has been said").isVisible()).toBe(false);

    await bob.page.context().close();
    await line(alice.page, "notice", "Bob é/1 left");
    expect(await alice.page.locator("#outbox > li").count()).toBe(0);
  });

  test("messages of one sender arrive in order in every browser", async () => {
    const alice = await join("Alice");
    const bob = await join("Bob");
    const texts = Array.from({ length: 20 }, (_, at) => `number ${at}`);
    for (const text of texts) await say(alice.page, text);
    await line(bob.page, "message", "number 19");
    await line(alice.page, "message", "number 19");
    const numbers = async (page: Page) => (await linesOf(page)).flatMap((text) => /number \d+/.exec(text) ?? []);
    expect(await numbers(bob.page)).toEqual(texts);
    expect(await numbers(alice.page)).toEqual(texts);
  });

  test("a second window of a user is announced neither when it opens nor when it closes", async () => {
    const alice = await join("Alice");
    const bob = await join("Bob");
    const again = await join("Bob");
    await again.page.context().close();
    await say(bob.page, "still here");
    await line(alice.page, "message", "still here");
    await bob.page.context().close();
    await line(alice.page, "notice", "Bob left");
    const notices = (await linesOf(alice.page)).filter((text) => /^Bob (?:joined|left)$/.test(text));
    expect(notices).toEqual(["Bob joined", "Bob left"]);
  });

  test("R-81 a page that was disconnected comes back by itself", async () => {
    const { page, sockets } = await join("Alice");
    await line(page, "notice", "Alice joined");
    const closed = await app.server.rest({ method: "POST", path: "/api/hubs/chat/:closeConnections" });
    expect(closed.status).toBe(204);
    await page.getByText("reconnecting").waitFor();
    await page.getByText("The connection is lost. Trying again.").waitFor();
    await page.getByText("online as Alice").waitFor();
    await line(page, "notice", "You were offline.");
    expect(sockets).toHaveLength(2);
    await say(page, "back again");
    await line(page, "message.is-mine", "back again");
  });

  test("a message the application refuses is shown as not sent", async () => {
    const { page } = await join("Alice");
    await page.evaluate(`document.getElementById("text").removeAttribute("maxlength")`);
    await say(page, "x".repeat(2001));
    await problem(page, "Not sent: xxx").waitFor();
    await page.getByRole("button", { name: "Discard" }).click();
    expect(await page.locator("#outbox > li").count()).toBe(0);
  });

  // The service tries to reach an application that is away for 9 s, which once for each server is enough.
  if (scheme === "http") {
    test("a message that was not sent because the application was away is sent when asked again", async () => {
      const alice = await join("Alice");
      const bob = await join("Bob");
      await app.stopApp();
      await say(alice.page, "is anybody there?");
      await problem(alice.page, "Not sent: is anybody there?").waitFor();
      await app.startApp();
      await alice.page.getByRole("button", { name: "Try again" }).click();
      await line(bob.page, "message", "is anybody there?");
      await line(alice.page, "message.is-mine", "is anybody there?");
      expect(await alice.page.locator("#outbox > li").count()).toBe(0);
    });
  }

  test("a reload comes back under the same name, leaving does not", async () => {
    const { page } = await join("Alice");
    await page.reload();
    await page.getByText("online as Alice").waitFor();
    await page.getByRole("button", { name: "Leave" }).click();
    await page.getByLabel("Your name").waitFor();
    await page.reload();
    await page.getByLabel("Your name").waitFor();
  });

  test("on a phone nothing is beside the screen, and Enter sends", async () => {
    const { page } = await join("A".repeat(24));
    await page.setViewportSize({ width: 375, height: 667 });
    await page.getByLabel("Message", { exact: true }).fill("w".repeat(200));
    await page.keyboard.press("Enter");
    await line(page, "message.is-mine", "www");
    const isWider = (selector: string) =>
      page.evaluate(`(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)(${selector})`);
    expect(await isWider("document.scrollingElement")).toBe(false);
    expect(await isWider("document.getElementById('scroll')")).toBe(false);
  });

  test("who reads further up is left there, and told that there is more", async () => {
    const { page } = await join("Alice");
    await page.setViewportSize({ width: 375, height: 400 });
    for (let at = 0; at < 12; at++) await say(page, `number ${at}`);
    await line(page, "message", "number 11");
    await page.locator("#lines > li").first().scrollIntoViewIfNeeded();
    await page.getByText("number 11").waitFor();
    const bob = await join("Bob");
    await say(bob.page, "are you there?");
    const more = page.getByRole("button", { name: "New messages" });
    await more.waitFor();
    await line(page, "message", "are you there?");
    const isInSight = () =>
      page.getByText("are you there?").evaluate((item) => item.getBoundingClientRect().bottom < window.innerHeight);
    expect(await isInSight()).toBe(false);
    await more.click();
    await more.waitFor({ state: "hidden" });
    expect(await isInSight()).toBe(true);
  });

  test("a name that is too long is refused on the page", async () => {
    const { page } = await openPage();
    await page.evaluate(`document.getElementById("name").removeAttribute("maxlength")`);
    await page.getByLabel("Your name").fill("n".repeat(25));
    await page.getByRole("button", { name: "Join" }).click();
    await page.getByText("A name has 1 to 24 characters.").waitFor();
  });

  test("an event that the service did not sign is refused and shown to nobody", async () => {
    const { page } = await join("Alice");
    const forgery = { hub: "chat", userId: "Bob", event: "message", data: "a forged message" };
    // In Java, a path in other letters is another path.
    expect((await forgeEvents(app.url, forgery)).filter((answer) => answer !== 404)).toEqual([401]);
    await say(page, "a real one");
    await line(page, "message", "a real one");
    expect((await linesOf(page)).join()).not.toContain("forged");
  });
});

describe.each(Object.entries(servers))("the chat's server in %s", (_, { http: [program, ...args] }) => {
  const run = (environment: Readonly<Record<string, string>>) => {
    const env = { PATH: process.env["PATH"] ?? "", ...environment };
    const { status, stderr } = spawnSync(program, args, { cwd: folder, env, encoding: "utf8" });
    return { status, stderr };
  };
  const connectionString = `Endpoint=http://localhost:1;AccessKey=${"k".repeat(44)};Version=1.0;`;

  test("says that it needs a connection string, exit code 2", () => {
    const { status, stderr } = run({ PORT: "0" });
    expect(stderr).toContain("Set WebPubSubConnectionString");
    expect(status).toBe(2);
  });

  test("says that its port is taken, exit code 1", async () => {
    const other = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => other.listen(port, "localhost", resolve));
    expect((other.address() as AddressInfo).port).toBe(port);
    const { status, stderr } = run({ PORT: String(port), WebPubSubConnectionString: connectionString });
    other.close();
    expect(stderr).toContain(`Cannot listen on port ${port}`);
    expect(status).toBe(1);
  });
});

test("T-12 over a tunnel, as the script starts it, the chat works, and its end ends the tunnel", async () => {
  const app = await startExample("chat", { config: "tunnel.yaml", command: [bun, "tunnel.ts"] });
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(deadlineMs);
    await page.goto(app.url);
    await page.getByLabel("Your name").fill("Alice");
    await page.getByRole("button", { name: "Join" }).click();
    await page.getByText("online as Alice").waitFor();
    await page.getByLabel("Message", { exact: true }).fill("through a tunnel");
    await page.keyboard.press("Enter");
    await page.locator("#lines > .message").filter({ hasText: "through a tunnel" }).waitFor();
    expect(app.output()).toMatch(/POST {2}\/eventhandler {2}20\d {2}\d+ ms {2}message/);
  } finally {
    await browser.close();
    // Resolves once nobody has its output open any more.
    await app.stop();
  }
});

test("Chromium refuses the certificate where the authority is not trusted", async () => {
  const app = await startChat("TypeScript", "https");
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(app.url);
    await page.getByLabel("Your name").fill("Alice");
    const failed = page.waitForEvent("websocket", { timeout: deadlineMs });
    await page.getByRole("button", { name: "Join" }).click();
    await (await failed).waitForEvent("socketerror", { timeout: deadlineMs });
    await page.getByText("The chat service cannot be reached.").waitFor({ timeout: deadlineMs });
    expect(await page.getByText("online as").count()).toBe(0);
  } finally {
    await browser.close();
    await app.stop();
  }
});
