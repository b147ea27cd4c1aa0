import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { launchChromium, trustOf } from "../browser/chromium.ts";
import { type ChatApp, startChat } from "./chat-app.ts";

const deadlineMs = 30_000;

describe.each(["http", "https"] as const)("tutorial: the chat example, %s", (scheme) => {
  let app: ChatApp;
  let browser: Browser;
  beforeAll(async () => {
    app = await startChat(scheme);
    browser = await launchChromium(scheme === "https" ? [await trustOf(app.server)] : []);
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await app.server.rest({ method: "POST", path: "/api/hubs/chat/:closeConnections" });
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

  const linesOf = (page: Page) => page.locator("#lines > li").allInnerTexts();

  test("M-2 two browsers chat both ways, and see who joins and leaves", async () => {
    const alice = await join("Alice");
    await line(alice.page, "notice", "Alice joined");
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
    expect(await alice.page.locator("#lines b").count()).toBe(0);

    await bob.page.context().close();
    await line(alice.page, "notice", "Bob é/1 left");
    expect(await alice.page.locator("#lines .problem").count()).toBe(0);
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
    const notices = (await linesOf(alice.page)).filter((text) => text.startsWith("Bob") && !text.includes("·"));
    expect(notices).toEqual(["Bob joined", "Bob left"]);
  });

  test("R-81 a page that was disconnected comes back by itself", async () => {
    const { page, sockets } = await join("Alice");
    await line(page, "notice", "Alice joined");
    const closed = await app.server.rest({ method: "POST", path: "/api/hubs/chat/:closeConnections" });
    expect(closed.status).toBe(204);
    await page.getByText("reconnecting").waitFor();
    await page.getByText("online as Alice").waitFor();
    expect(sockets).toHaveLength(2);
    await say(page, "back again");
    await line(page, "message.is-mine", "back again");
  });

  test("a message the application refuses is shown as not sent", async () => {
    const { page } = await join("Alice");
    await page.evaluate(`document.getElementById("text").removeAttribute("maxlength")`);
    await say(page, "x".repeat(2001));
    await line(page, "problem", "Not sent: xxx");
  });

  test("a name that is too long is refused on the page", async () => {
    const { page } = await openPage();
    await page.evaluate(`document.getElementById("name").removeAttribute("maxlength")`);
    await page.getByLabel("Your name").fill("n".repeat(25));
    await page.getByRole("button", { name: "Join" }).click();
    await page.getByText("A name has 1 to 24 characters.").waitFor();
  });
});

test("Chromium refuses the certificate where the authority is not trusted", async () => {
  const app = await startChat("https");
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(app.url);
    await page.getByLabel("Your name").fill("Alice");
    const failed = page.waitForEvent("websocket", { timeout: deadlineMs });
    await page.getByRole("button", { name: "Join" }).click();
    await (await failed).waitForEvent("socketerror", { timeout: deadlineMs });
    expect(await page.getByText("online as").count()).toBe(0);
  } finally {
    await browser.close();
    await app.stop();
  }
});
