import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { WebPubSubClient } from "@azure/web-pubsub-client";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { openStore } from "../../examples/team-chat/server/sql-store.ts";
import { launchChromium, trustOf } from "../browser/chromium.ts";
import { type Example, startExample, startProcess } from "../support/example.ts";
import { freePort } from "../support/free-port.ts";
import { inTime } from "../support/inbox.ts";
import { startServer } from "../support/server.ts";
import { tempDir } from "../support/temp.ts";
import { forgeEvents } from "./forged-events.ts";
import { startPostgres } from "./postgres.ts";

const deadlineMs = 30_000;
const folder = join(import.meta.dirname, "..", "..", "examples", "team-chat");
const bun = process.execPath;

/** Somebody with a browser of their own, signed in. */
interface Person {
  readonly page: Page;
  /** What the page got over its WebSockets. */
  readonly frames: string[];
}

let browser: Browser;
/** Errors of pages and on their consoles, of the running test. */
let problems: string[] = [];
let expected: RegExp | null = null;

/** Failed requests are on the console of a page; a test that makes them fail says so. */
const expectProblems = (pattern: RegExp): void => {
  expected = pattern;
};
const unreachable = /ERR_CONNECTION_REFUSED|ERR_FAILED|WebSocket connection to|status of 50\d/;

beforeAll(async () => {
  browser = await launchChromium();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  const unexpected = problems.filter((problem) => expected?.test(problem) !== true);
  problems = [];
  expected = null;
  expect(unexpected).toEqual([]);
});
afterAll(async () => {
  await browser.close();
});

async function openPage(url: string, options: BrowserContextOptions = {}): Promise<Person> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(deadlineMs);
  const page = await context.newPage();
  const frames: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => frames.push(String(payload))));
  await page.goto(url);
  return { page, frames };
}

async function signIn(page: Page, name: string): Promise<void> {
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("button", { name: "Join", exact: true }).click();
}

async function enter(url: string, name: string, options: BrowserContextOptions = {}): Promise<Person> {
  const person = await openPage(url, options);
  await signIn(person.page, name);
  await person.page.getByRole("navigation").getByText(name, { exact: true }).first().waitFor();
  return person;
}

async function createRoom(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: "New room" }).click();
  await page.getByLabel("Name of the room").fill(name);
  await page.getByRole("button", { name: "Create" }).click();
  await heading(page, name);
}

async function joinRoom(page: Page, name: string): Promise<void> {
  await page
    .getByRole("navigation")
    .getByRole("button", { name: `Join ${name}` })
    .click();
  await heading(page, name);
}

const heading = (page: Page, name: string): Promise<void> =>
  page.getByRole("main").getByRole("heading", { name }).waitFor();

const openChat = (page: Page, name: string): Promise<void> =>
  page.getByRole("navigation").getByRole("link", { name }).click();

async function write(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
}

/** Waits until it is there and stored. */
const line = (page: Page, text: string): Promise<void> =>
  page.locator(".message:not(.pending) .text").getByText(text, { exact: true }).waitFor();

const linesOf = (page: Page): Promise<string[]> => page.locator(".message .text").allInnerTexts();

const presence = (page: Page, name: string, is: "online" | "away" | "offline"): Promise<void> =>
  page.locator(`.person[data-presence=${is}]`).filter({ hasText: name }).waitFor({ state: "attached" });

const badge = (page: Page, chat: string, count: number): Promise<void> =>
  page.getByRole("link", { name: chat }).getByLabel(`${count} unread`).waitFor();

/** Signs in without a browser; `ask` calls the application as a page does, and may ask what no page would. */
async function enterByHand(url: string, name: string) {
  const post = (path: string, body: object, cookie = "") =>
    fetch(`${url}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Cookie: cookie },
      body: JSON.stringify(body),
    });
  const signedIn = await post("/sign-in", { name, color: 1 });
  const [cookie = ""] = (signedIn.headers.get("Set-Cookie") ?? "").split(";");
  const negotiated = (await (await post("/negotiate", {}, cookie)).json()) as { readonly url: string };
  const client = new WebPubSubClient(negotiated.url);
  await client.start();
  const ask = async (event: string, data: object) =>
    (await client.invokeEvent(event, data, "json")).data as {
      readonly ok: boolean;
      readonly error?: string;
      readonly value: never;
    };
  await ask("enter", { isIdle: false });
  return { ask, post, cookie, client, setCookie: signedIn.headers.get("Set-Cookie") ?? "" };
}

describe.each(["http", "https"] as const)("tutorial: the team chat, %s", (scheme) => {
  let app: Example;
  beforeAll(async () => {
    app = await startExample("team-chat", { scheme });
    if (scheme === "https") {
      await browser.close();
      browser = await launchChromium([await trustOf(app.server)]);
    }
  });
  afterAll(async () => {
    await app.stop();
  });

  test("rooms are created, joined and left; their messages are for members alone", async () => {
    const ann = await enter(app.url, "Ann");
    const ben = await enter(app.url, "Ben");
    expect(new URL(app.server.connectionString.match(/Endpoint=([^;]+)/)?.[1] ?? "").protocol).toBe(`${scheme}:`);
    await createRoom(ann.page, "Plans");
    await write(ann.page, "first plan");
    await line(ann.page, "first plan");
    await openChat(ann.page, "General");
    await write(ann.page, "hello everybody");
    await line(ben.page, "hello everybody");
    expect(ben.frames.filter((frame) => frame.includes("first plan"))).toEqual([]);

    await joinRoom(ben.page, "Plans");
    await line(ben.page, "first plan");
    await ben.page.getByText("2 members").waitFor();
    await write(ben.page, "second plan");
    await badge(ann.page, "Plans", 1);
    await openChat(ann.page, "Plans");
    await line(ann.page, "second plan");

    await ben.page.getByRole("button", { name: "Leave" }).click();
    await ben.page.getByText("You are not in this room.").waitFor();
    await ann.page.getByText("1 member").waitFor();
    await write(ann.page, "third plan");
    await line(ann.page, "third plan");
    await openChat(ann.page, "General");
    await write(ann.page, "bye everybody");
    await openChat(ben.page, "General");
    await line(ben.page, "bye everybody");
    expect(ben.frames.filter((frame) => frame.includes("third plan"))).toEqual([]);
  });
});

describe("tutorial: the team chat", () => {
  let app: Example;
  beforeEach(async () => {
    app = await startExample("team-chat");
    (await enterByHand(app.url, "Admin")).client.stop();
  });
  // Before the hook above: pages whose service is gone complain.
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await app.stop();
  });

  test("a private chat is seen by two and by nobody else", async () => {
    const [ann, ben, cleo] = [await enter(app.url, "Ann"), await enter(app.url, "Ben"), await enter(app.url, "Cleo")];
    await ann.page.getByRole("button", { name: "Write to Ben" }).click();
    await heading(ann.page, "Ben");
    await write(ann.page, "only for Ben");
    await badge(ben.page, "Ann", 1);
    await openChat(ben.page, "Ann");
    await line(ben.page, "only for Ben");
    await write(ben.page, "only for Ann");
    await line(ann.page, "only for Ann");
    await openChat(ann.page, "General");
    await write(ann.page, "for all three");
    await line(cleo.page, "for all three");
    expect(cleo.frames.filter((frame) => frame.includes("only for"))).toEqual([]);
    expect(await cleo.page.getByRole("navigation").getByRole("link").count()).toBe(1);
  });

  test("who is typing is shown to the others, and vanishes by itself and with the message", async () => {
    const [ann, ben] = [await enter(app.url, "Ann"), await enter(app.url, "Ben")];
    const sign = ann.page.getByText("Ben is typing…");
    await ben.page.getByLabel("Message", { exact: true }).pressSequentially("abc");
    await sign.waitFor();
    await sign.waitFor({ state: "detached" });
    expect(await ben.page.getByText("is typing…").count()).toBe(0);
    await ben.page.getByLabel("Message", { exact: true }).pressSequentially("def");
    await sign.waitFor();
    await ben.page.keyboard.press("Enter");
    await line(ann.page, "abcdef");
    expect(await sign.count()).toBe(0);
  });

  test("unread messages are counted per room and in the title, announced, and read where they are opened", async () => {
    const ann = await openPage(app.url);
    await ann.page.context().grantPermissions(["notifications"]);
    await ann.page.addInitScript(`
      window.shown = [];
      window.Notification = class extends EventTarget {
        static permission = "granted";
        constructor(title, { body }) { super(); window.shown.push(title + ": " + body); }
      };
      document.hasFocus = () => false;`);
    await ann.page.reload();
    await signIn(ann.page, "Ann");
    const ben = await enter(app.url, "Ben");
    await createRoom(ann.page, "Unread");
    for (const text of ["one", "two"]) {
      await write(ben.page, text);
      await line(ben.page, text);
    }
    await badge(ann.page, "General", 2);
    expect(await ann.page.title()).toBe("(2) Team chat");
    expect(await ann.page.evaluate<string[]>("window.shown")).toEqual(["Ben in General: one", "Ben in General: two"]);
    await ann.page.reload();
    await badge(ann.page, "General", 2);
    const other = await enter(ann.page.url(), "Ann");
    await badge(other.page, "General", 2);
    await openChat(ann.page, "General");
    await line(ann.page, "two");
    // Read in one window, read in all.
    for (const { page } of [ann, other]) {
      await page.getByLabel("unread").waitFor({ state: "detached" });
      expect(await page.title()).toBe("Team chat");
    }
  });

  test("a reload and a restart of the application lose nothing, and what is sent meanwhile arrives once", async () => {
    const [ann, ben] = [await enter(app.url, "Ann"), await enter(app.url, "Ben")];
    await createRoom(ann.page, "Restart");
    await joinRoom(ben.page, "Restart");
    await write(ann.page, "before");
    await line(ben.page, "before");
    await ann.page.reload();
    await heading(ann.page, "Restart");
    await line(ann.page, "before");

    expectProblems(unreachable);
    await app.stopApp();
    await write(ann.page, "while it is down");
    await write(ann.page, "still down");
    await ann.page.getByText("Sending…").first().waitFor();
    await app.startApp();
    await line(ann.page, "still down");
    await line(ben.page, "still down");
    await write(ben.page, "after");
    await line(ann.page, "after");
    await ben.page.reload();
    await line(ben.page, "after");
    for (const { page } of [ann, ben]) {
      expect(await linesOf(page)).toEqual(["before", "while it is down", "still down", "after"]);
    }
    await presence(ann.page, "Ben", "online");
  });

  test("R-81 a page whose connection was closed catches up without gaps or doubles", async () => {
    const [ann, ben] = [await enter(app.url, "Ann"), await enter(app.url, "Ben")];
    await createRoom(ann.page, "Cut");
    await joinRoom(ben.page, "Cut");
    await write(ann.page, "zero");
    await line(ben.page, "zero");
    expectProblems(unreachable);
    await ben.page.route("**/negotiate", (route) => route.abort());
    await app.server.rest({ method: "POST", path: "/api/hubs/team/:closeConnections" });
    await ben.page.getByText("No connection. Trying again…").waitFor();
    for (const text of ["one", "two", "three"]) {
      await write(ann.page, text);
      await line(ann.page, text);
    }
    expect(await linesOf(ben.page)).toEqual(["zero"]);
    await ben.page.unroute("**/negotiate");
    await line(ben.page, "three");
    for (const { page } of [ann, ben]) expect(await linesOf(page)).toEqual(["zero", "one", "two", "three"]);
  });

  test("C-72 a socket that was cut is recovered with the same connection", async () => {
    const ann = await enter(app.url, "Ann");
    const ben = await openPage("about:blank");
    const cuts: (() => void)[] = [];
    const urls: string[] = [];
    await ben.page.routeWebSocket(/client\/hubs/, (socket) => {
      const service = socket.connectToServer();
      urls.push(socket.url());
      cuts.push(() => {
        void service.close({ code: 4999 });
        void socket.close({ code: 4999 });
      });
    });
    await ben.page.goto(app.url);
    await signIn(ben.page, "Ben");
    await line(ben.page, await lastLine(ann.page, "before the cut"));
    expect(cuts).toHaveLength(1);
    cuts[0]?.();
    await write(ann.page, "during the cut");
    await line(ben.page, "during the cut");
    expect(urls).toHaveLength(2);
    expect(urls[1]).toContain("awps_reconnection_token=");
    expect((await linesOf(ben.page)).filter((text) => text === "during the cut")).toHaveLength(1);
  });

  async function lastLine(page: Page, text: string): Promise<string> {
    await write(page, text);
    await line(page, text);
    return text;
  }

  test("the admin closes somebody, who sees the reason in every window and may not come back until reopened", async () => {
    expectProblems(/status of 403/);
    const admin = await enter(app.url, "Admin");
    const [one, two] = [await enter(app.url, "Mallory"), await enter(app.url, "Mallory")];
    expect(await one.page.getByRole("button", { name: "Close Admin" }).count()).toBe(0);
    await admin.page.getByRole("button", { name: "Close Mallory" }).click();
    await admin.page.getByLabel("Reason").fill("Too many <b>jokes</b>");
    await admin.page.getByRole("button", { name: "Close them" }).click();
    for (const { page } of [one, two]) {
      await page.getByRole("heading", { name: "The admin closed your account" }).waitFor();
      await page.getByText("Too many <b>jokes</b>", { exact: true }).waitFor();
    }
    await presence(admin.page, "Mallory", "offline");
    await one.page.getByRole("button", { name: "Sign in with another name" }).click();
    await signIn(one.page, "mallory");
    await one.page.getByText("The admin has closed this name: Too many <b>jokes</b>").waitFor();
    await two.page.reload();
    await two.page.getByText("Too many <b>jokes</b>", { exact: true }).waitFor();
    await admin.page.getByRole("button", { name: "Reopen Mallory" }).click();
    await admin.page.getByRole("button", { name: "Close Mallory" }).waitFor();
    await signIn(one.page, "Mallory");
    await heading(one.page, "General");
    await presence(admin.page, "Mallory", "online");
  });

  test("history is loaded page by page while scrolling up", async () => {
    const writer = await enterByHand(app.url, "Writer");
    const { value: chat } = await writer.ask("createChat", { name: "History" });
    const texts = Array.from({ length: 120 }, (_, at) => `number ${at + 1}`);
    for (const [at, text] of texts.entries()) {
      await writer.ask("sendMessage", { chatId: (chat as { id: string }).id, clientId: `c${at}`, text });
    }
    writer.client.stop();
    const { page } = await enter(app.url, "Reader");
    await joinRoom(page, "History");
    await line(page, "number 120");
    expect(await linesOf(page)).toEqual(texts.slice(70));
    expect(await page.locator("[data-id='120']").isVisible()).toBe(true);
    await page.locator(".messages").hover();
    await page.mouse.wheel(0, -100_000);
    await page.locator("[data-id='21']").waitFor({ state: "attached" });
    // What was looked at is still there: the older ones are above it.
    expect(await page.evaluate(`document.querySelector(".messages").scrollTop > 500`)).toBe(true);
    await page.mouse.wheel(0, -100_000);
    await line(page, "number 1");
    expect(await linesOf(page)).toEqual(texts);
    expect(await page.getByRole("button", { name: "Earlier messages" }).count()).toBe(0);
  });

  test("names and messages are text, whatever is in them", async () => {
    const ann = await enter(app.url, "<b>Ann</b> é & 🌍");
    const ben = await enter(app.url, "Ben");
    await createRoom(ann.page, "<i>room</i> {{ 7 * 7 }}");
    await joinRoom(ben.page, "<i>room</i> {{ 7 * 7 }}");
    const evil = `<img src=x onerror="document.title='owned'"> {{ 7 * 7 }}`;
    await write(ann.page, evil);
    await line(ben.page, evil);
    await ben.page.locator(".author").getByText("<b>Ann</b> é & 🌍", { exact: true }).waitFor();
    expect(await ben.page.locator("#app img, #app i:not(.dot), .text *").count()).toBe(0);
    expect(await ben.page.title()).toBe("Team chat");
  });

  test("on a phone there is one pane at a time, and a message counts as read only where it is seen", async () => {
    const ann = await enter(app.url, "Ann", { viewport: { width: 375, height: 740 } });
    const ben = await enter(app.url, "Ben");
    await write(ben.page, "for a phone");
    await badge(ann.page, "General", 1);
    expect(await ann.page.getByRole("main").isVisible()).toBe(false);
    await openChat(ann.page, "General");
    await line(ann.page, "for a phone");
    expect(await ann.page.getByRole("navigation").isVisible()).toBe(false);
    await ann.page.getByRole("link", { name: "People" }).click();
    await write(ben.page, "unseen");
    await ann.page.waitForFunction("document.title === '(1) Team chat'");
    await ann.page.getByRole("link", { name: "Back to the chat" }).click();
    await line(ann.page, "unseen");
    await ann.page.waitForFunction("document.title === 'Team chat'");
    await ann.page.getByRole("link", { name: "People" }).click();
    await ann.page.getByRole("button", { name: "Write to Ben" }).click();
    await heading(ann.page, "Ben");
    await ann.page.getByRole("link", { name: "All chats" }).click();
    await ann.page.getByRole("link", { name: "General" }).waitFor();
    expect(await ann.page.getByLabel("unread").count()).toBe(0);
    expect(await ann.page.evaluate("document.documentElement.scrollWidth")).toBe(375);
  });

  test("the application refuses what no page would ask", async () => {
    const [ann, ben] = [await enterByHand(app.url, "Ann"), await enterByHand(app.url, "Ben")];
    const { value: chat } = await ann.ask("createChat", { name: "Members only" });
    const { id: chatId, members } = chat as { id: string; members: string[] };
    const refused: readonly [string, object][] = [
      ["loadHistory", { chatId }],
      ["sendMessage", { chatId, clientId: "c", text: "I am not a member" }],
      ["markRead", { chatId, messageId: 1 }],
      ["sendMessage", { chatId: "general", clientId: "c", text: "x".repeat(4001) }],
      ["sendMessage", { chatId: "general", clientId: "c", text: " \n " }],
      ["sendMessage", { chatId: "general", clientId: "no/id", text: "x" }],
      ["sendMessage", { chatId: "general", clientId: "c", text: { toString: "x" } }],
      ["loadHistory", { chatId: "general", before: "1" }],
      ["createChat", { name: "x".repeat(41) }],
      ["createChat", { name: "members ONLY" }],
      ["createChat", { name: "a\u202Eb" }],
      ["joinChat", { chatId: "there-is-none" }],
      ["closeUser", { personId: members[0], reason: "because" }],
      ["reopenUser", { personId: members[0] }],
      ["startPrivateChat", { personId: "nobody" }],
      ["toString", {}],
    ];
    for (const [event, data] of refused) {
      const { ok, error } = await ben.ask(event, data);
      expect({ event, ok, why: typeof error }).toEqual({ event, ok: false, why: "string" });
    }
    for (const name of ["", "  ", "x".repeat(25), "a\u0000b", 7, null]) {
      expect((await ben.post("/sign-in", { name, color: 0 })).status).toBe(400);
    }
    expect((await ben.post("/sign-in", { name: "Zoe", color: 8 })).status).toBe(400);
    ann.client.stop();
    ben.client.stop();
  });

  test("the session is a signed cookie that no page reads, and events are believed from the service alone", async () => {
    const ann = await enterByHand(app.url, "Ann");
    expect(ann.setCookie).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect((await ann.post("/negotiate", {}, ann.cookie)).status).toBe(200);
    for (const cookie of ["", `${ann.cookie}x`, ann.cookie.replace("=", "=0"), ann.cookie.replace(/\.\d/, ".2")]) {
      expect((await ann.post("/negotiate", {}, cookie)).status).toBe(401);
    }
    const forgery = { hub: "team", userId: "somebody", event: "sendMessage", data: {} };
    expect(await forgeEvents(app.url, forgery)).toEqual([401]);
    ann.client.stop();
  });

  test("without a connection string, and on a port that is taken, it says so and ends", async () => {
    const run = async (env: Record<string, string>) => {
      const child = Bun.spawn([bun, "server.ts"], {
        cwd: folder,
        env: { PATH: process.env["PATH"] ?? "", DATA_DIR: tempDir(), ...env },
        stderr: "pipe",
        stdout: "ignore",
      });
      const output = await new Response(child.stderr).text();
      return { exitCode: await inTime(child.exited, "end of the application", deadlineMs), output };
    };
    const without = await run({ WebPubSubConnectionString: "" });
    expect(without.output).toContain("WebPubSubConnectionString");
    expect(without.exitCode).toBe(2);
    const port = new URL(app.url).port;
    const taken = await run({ WebPubSubConnectionString: app.server.connectionString, PORT: port });
    expect(taken.output).toContain(`port ${port}`);
    expect(taken.exitCode).toBe(1);
    const database = "postgres://team:secret@127.0.0.1:1/none";
    const nowhere = await run({
      WebPubSubConnectionString: app.server.connectionString,
      PORT: String(await freePort()),
      DATABASE_URL: database,
    });
    expect(nowhere.output).toContain("cannot open the database");
    expect(nowhere.output).not.toContain("secret");
    expect(nowhere.exitCode).toBe(1);
  });
});

test("tutorial: somebody who does nothing, or looks at another tab, is away until they are back", async () => {
  const app = await startExample("team-chat", { env: { IDLE_AFTER_SECONDS: "3" } });
  try {
    const [ann, ben] = [await enter(app.url, "Ann"), await enter(app.url, "Ben")];
    await presence(ann.page, "Ben", "away");
    let x = 100;
    const moving = setInterval(() => void ben.page.mouse.move(x++, 300), 200);
    await presence(ann.page, "Ben", "online");
    const hide = (isHidden: boolean) =>
      ben.page.evaluate(`
        Object.defineProperty(document, "hidden", { value: ${isHidden}, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));`);
    clearInterval(moving);
    await hide(true);
    await presence(ann.page, "Ben", "away");
    await hide(false);
    await presence(ann.page, "Ben", "online");
    await ben.page.goto("about:blank");
    await presence(ann.page, "Ben", "offline");
  } finally {
    for (const context of browser.contexts()) await context.close();
    await app.stop();
  }
});

test("tutorial: whoever left while the application was down for long is offline when it is back", async () => {
  const dataDir = tempDir();
  const store = await openStore(join(dataDir, "team-chat.sqlite"));
  const ghost = await store.signIn("Ghost", 0);
  await store.connect("long-gone", ghost?.id ?? "", false);
  await store.close();
  const app = await startExample("team-chat", { env: { DATA_DIR: dataDir } });
  try {
    const ann = await enter(app.url, "Ann");
    await presence(ann.page, "Ghost", "offline");
    await presence(ann.page, "Ann", "online");
  } finally {
    for (const context of browser.contexts()) await context.close();
    await app.stop();
  }
});

test("tutorial: two servers of the team chat share PostgreSQL and the service's events", async () => {
  const postgres = await startPostgres();
  const ports = [await freePort(), await freePort()] as const;
  // A load balancer: each event goes to the other server than the one before.
  let turn = 0;
  const taken = [0, 0];
  const balancer = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const at = turn++ % 2;
      taken[at] = (taken[at] ?? 0) + 1;
      const target = new URL(request.url);
      target.port = String(ports[at]);
      // The SDK answers a system event before it has read its body: passed on as a stream, that would be cut off.
      const { method, headers } = request;
      return fetch(target, { method, headers, body: method === "POST" ? await request.bytes() : null });
    },
  });
  const server = await startServer({
    hubs: {
      team: {
        eventHandlers: [
          {
            urlTemplate: `http://127.0.0.1:${balancer.port}/eventhandler`,
            userEventPattern: "*",
            systemEvents: ["connect", "disconnected"],
          },
        ],
      },
    },
  });
  const env = {
    PATH: process.env["PATH"] ?? "",
    DATA_DIR: tempDir(),
    DATABASE_URL: await postgres.createDatabase(),
    WebPubSubConnectionString: server.connectionString,
  };
  const apps = await Promise.all(
    ports.map((own) => startProcess([bun, "server.ts"], { cwd: folder, env: { ...env, PORT: String(own) } })),
  );
  try {
    const [first, second] = apps.map((app) => app.url);
    const ann = await enter(first ?? "", "Ann");
    const ben = await enter(second ?? "", "Ben");
    await createRoom(ann.page, "Shared");
    await joinRoom(ben.page, "Shared");
    const texts = Array.from({ length: 12 }, (_, at) => `number ${at}`);
    for (const [at, text] of texts.entries()) {
      await write(at % 2 === 0 ? ann.page : ben.page, text);
      await line(ann.page, text);
      await line(ben.page, text);
    }
    for (const { page } of [ann, ben]) expect(await linesOf(page)).toEqual(texts);
    await presence(ann.page, "Ben", "online");
    // The cookie of one server is good for the other: they share the secret.
    await ben.page.goto(first ?? "");
    await openChat(ben.page, "Shared");
    await line(ben.page, "number 11");
    await ben.page.goto("about:blank");
    await presence(ann.page, "Ben", "offline");
    expect(Math.min(...taken)).toBeGreaterThan(5);
  } finally {
    for (const context of browser.contexts()) await context.close();
    for (const app of apps) await app.stop();
    await server.stop();
    await balancer.stop(true);
    await postgres.stop();
  }
});
