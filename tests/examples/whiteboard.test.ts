import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { createServer, request as forward, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions, Page, WebSocketRoute } from "playwright-core";
import { BoardStore, type StoreLimits } from "../../examples/whiteboard/board-store.ts";
import type { History } from "../../examples/whiteboard/messages.ts";
import { launchChromium, trustOf } from "../browser/chromium.ts";
import { connectJson, type JsonFrame } from "../support/clients.ts";
import { type Example, startExample } from "../support/example.ts";
import { Inbox } from "../support/inbox.ts";
import { freshName } from "../support/names.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { forgeEvents } from "./forged-events.ts";

const deadlineMs = 30_000;
type Position = readonly [x: number, y: number];

/** Red, green and blue of the toolbar's colours. */
const ink = {
  Ink: [0x20, 0x24, 0x2a],
  Red: [0xc8, 0x32, 0x3c],
  Blue: [0x1f, 0x63, 0xc6],
  Green: [0x21, 0x85, 0x4a],
} as const;
type Colour = keyof typeof ink;

let browser: Browser;
/** What pages wrote as an error; a test that causes some takes them out. */
let troubles: string[] = [];

interface OpenOptions {
  readonly app: Example;
  readonly board: string;
  readonly name: string;
  readonly context?: BrowserContextOptions;
}

/** A browser of its own at a board, as somebody who has not been there. */
async function open({ app, board, name, context: options = {} }: OpenOptions): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1000, height: 760 }, ...options });
  context.setDefaultTimeout(deadlineMs);
  const page = await context.newPage();
  page.on("pageerror", (error) => troubles.push(`${name}: ${String(error)}`));
  page.on("console", (message) => {
    if (message.type() === "error") troubles.push(`${name}: ${message.text()}`);
  });
  await enter(page, { app, board, name });
  await status(page, "Saved");
  return page;
}

async function enter(page: Page, { app, board, name }: OpenOptions): Promise<void> {
  await page.goto(`${app.url}/?board=${board}`);
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("button", { name: "Open the board" }).click();
}

const status = (page: Page, text: string) => page.locator("#status").filter({ hasText: text }).waitFor();
const note = (page: Page, text: string) => page.locator("#note").filter({ hasText: text }).waitFor();
const shapesOf = (page: Page, count: number) =>
  page.getByRole("img", { name: `Drawing of ${count} ${count === 1 ? "shape" : "shapes"}`, exact: true }).waitFor();
const choose = (page: Page, label: string) => page.getByRole("radio", { name: label, exact: true }).check();

/** Where a position of the board is in the window. */
async function place(page: Page, [x, y]: Position): Promise<[number, number]> {
  const paper = await page.locator("#paper").boundingBox();
  if (paper === null) throw new Error("no paper");
  return [paper.x + (x * paper.width) / 1600, paper.y + (y * paper.height) / 1000];
}

/** Presses the button and moves through the positions; the button stays down. */
async function begin(page: Page, [start = [0, 0], ...others]: readonly Position[]): Promise<void> {
  await page.mouse.move(...(await place(page, start)));
  await page.mouse.down();
  for (const position of others) await page.mouse.move(...(await place(page, position)), { steps: 8 });
}

async function draw(page: Page, positions: readonly Position[]): Promise<void> {
  await begin(page, positions);
  await page.mouse.up();
}

/** Waits until the canvas has this colour at a position of the board; null: nothing is drawn there. */
async function see(page: Page, position: Position, colour: Colour | null): Promise<void> {
  await page.waitForFunction(
    ({ position: [x, y], wanted }) => {
      const canvas = document.querySelector("canvas");
      const paper = document.getElementById("paper")?.getBoundingClientRect();
      if (canvas === null || paper === undefined) return false;
      const box = canvas.getBoundingClientRect();
      const left = ((paper.left - box.left + (x * paper.width) / 1600) * canvas.width) / box.width;
      const top = ((paper.top - box.top + (y * paper.height) / 1000) * canvas.height) / box.height;
      const pixel = canvas.getContext("2d")?.getImageData(Math.round(left), Math.round(top), 1, 1).data ?? [];
      if (wanted === null) return pixel[3] === 0;
      return pixel[3] === 255 && wanted.every((value, at) => Math.abs(value - (pixel[at] ?? 0)) <= 3);
    },
    { position, wanted: colour === null ? null : [...ink[colour]] },
    { timeout: deadlineMs },
  );
}

/** Every pixel of the canvas. Painted twice or in another order, edges would differ. */
const picture = (page: Page): Promise<string> =>
  page.evaluate(() => document.querySelector("canvas")?.toDataURL() ?? "");

async function seeTheSame(...pages: readonly Page[]): Promise<void> {
  await until(
    "the same picture everywhere",
    async () => new Set(await Promise.all(pages.map(picture))).size === 1,
    deadlineMs,
  );
}

async function history(app: Example, board: string, after = 0): Promise<History> {
  const response = await fetch(`${app.url}/boards/${board}/shapes?after=${after}`);
  expect(response.status).toBe(200);
  return (await response.json()) as History;
}

/** No page gets back to the service until the returned function is called. */
async function lockOut(app: Example, pages: readonly Page[]): Promise<() => Promise<void>> {
  for (const page of pages) await page.route("**/negotiate?*", (route) => route.abort());
  const closed = await app.server.rest({ method: "POST", path: "/api/hubs/whiteboard/:closeConnections" });
  expect(closed.status).toBe(204);
  for (const page of pages) await status(page, "Reconnecting");
  return async () => {
    for (const page of pages) await page.unroute("**/negotiate?*");
  };
}

/** Cut connections and refused files are errors to the browser, whatever the page makes of them. */
function expectTroubles(allowed: RegExp): void {
  expect(troubles.filter((trouble) => !allowed.test(trouble))).toEqual([]);
  troubles = [];
}
const connectionTrouble = /net::ERR_|WebSocket/;

afterEach(async () => {
  if (!browser.isConnected()) return;
  for (const context of browser.contexts()) await context.close();
  const left = troubles;
  troubles = [];
  expect(left).toEqual([]);
});

describe.each(["http", "https"] as const)("whiteboard over %s", (scheme) => {
  let app: Example;
  beforeAll(async () => {
    app = await startExample("whiteboard", { scheme });
    browser = await launchChromium(scheme === "https" ? [await trustOf(app.server)] : []);
  });
  afterAll(async () => {
    await browser.close();
    await app.stop();
  });

  test("a line is seen by others while it is drawn, and by those who come later", async () => {
    const board = freshName("board").toLowerCase();
    const ada = await open({ app, board, name: "Ada" });
    const bob = await open({ app, board, name: "Bob" });
    await choose(ada, "Thick");
    await choose(ada, "Red");
    await begin(ada, [
      [200, 300],
      [600, 300],
      [1000, 300],
    ]);
    await see(bob, [600, 300], "Red");
    expect((await history(app, board)).entries).toEqual([]);
    await ada.mouse.up();
    await shapesOf(bob, 1);
    const carol = await open({ app, board, name: "Carol" });
    await see(carol, [600, 300], "Red");
    await seeTheSame(ada, bob, carol);

    await choose(bob, "Blue");
    await choose(bob, "Thick");
    await draw(bob, [[1300, 800]]);
    await see(ada, [1300, 800], "Blue");
    for (const [tool, y] of [
      ["Line", 100],
      ["Rectangle", 500],
      ["Ellipse", 800],
    ] as const) {
      await choose(bob, tool);
      await draw(bob, [
        [300, y],
        [700, y + 100],
      ]);
    }
    await see(ada, [500, 150], "Blue");
    await see(ada, [300, 550], "Blue");
    await see(ada, [500, 900], "Blue");
    await choose(carol, "Eraser");
    await choose(carol, "Thick");
    await draw(carol, [
      [600, 250],
      [600, 350],
    ]);
    await see(ada, [600, 300], null);
    await shapesOf(ada, 6);
    await seeTheSame(ada, bob, carol);
  });
});

describe("whiteboard", () => {
  let app: Example;
  let tap: EventTap;
  beforeAll(async () => {
    app = await startExample("whiteboard");
    browser = await launchChromium();
    tap = await tapEvents(app);
  });
  afterAll(async () => {
    await browser.close();
    await app.stop();
    tap.stop();
  });
  const freshBoard = () => freshName("board").toLowerCase();

  test("pointer moves and strokes in progress never reach the application", async () => {
    const board = freshBoard();
    const ada = await open({ app, board, name: "Ada" });
    const bob = await open({ app, board, name: "Bob" });
    await ada.mouse.move(...(await place(ada, [200, 200])));
    await ada.mouse.move(...(await place(ada, [1000, 200])), { steps: 50 });
    await bob.locator(".pointer", { hasText: "Ada" }).locator("span").waitFor();
    await draw(
      ada,
      Array.from({ length: 8 }, (_, at): Position => [200 + 100 * at, 500]),
    );
    await shapesOf(bob, 1);
    await see(bob, [600, 500], "Ink");
    expect(tap.userEvents.untaken.filter((event) => event.endsWith(board))).toEqual([`shape at ${board}`]);
  });

  test("a reload and a restart of the application lose nothing", async () => {
    const board = freshBoard();
    const ada = await open({ app, board, name: "Ada" });
    const bob = await open({ app, board, name: "Bob" });
    await draw(ada, [
      [100, 100],
      [500, 400],
    ]);
    await draw(bob, [
      [500, 100],
      [100, 400],
    ]);
    await shapesOf(ada, 2);
    await ada.reload();
    await shapesOf(ada, 2);
    await seeTheSame(ada, bob);

    await app.stopApp();
    await draw(ada, [
      [800, 100],
      [800, 400],
    ]);
    await status(ada, "1 not sent yet");
    await see(ada, [800, 250], "Ink");
    await app.startApp();
    await shapesOf(bob, 3);
    await status(ada, "Saved");
    await bob.reload();
    await shapesOf(bob, 3);
    await seeTheSame(ada, bob);
    expect((await history(app, board)).entries.map(({ number }) => number)).toEqual([1, 2, 3]);
  });

  test("what is drawn on both sides of a cut connection is there once, everywhere", async () => {
    const board = freshBoard();
    const ada = await open({ app, board, name: "Ada" });
    const bob = await open({ app, board, name: "Bob" });
    await draw(ada, [
      [800, 100],
      [800, 900],
    ]);
    await shapesOf(bob, 1);
    const letIn = await lockOut(app, [ada, bob]);
    for (const [page, from] of [
      [ada, 100],
      [bob, 900],
    ] as const) {
      for (const y of [200, 500]) {
        await draw(page, [
          [from, y],
          [from + 600, y + 100],
        ]);
      }
      await status(page, "2 not sent yet");
    }
    await see(bob, [400, 250], null);
    // What was not sent survives a reload too.
    await ada.reload();
    await status(ada, "Connecting … · 2 not sent yet");
    await see(ada, [400, 250], "Ink");
    await letIn();
    for (const page of [ada, bob]) {
      await shapesOf(page, 5);
      await status(page, "Saved");
    }
    const carol = await open({ app, board, name: "Carol" });
    await seeTheSame(ada, bob, carol);
    const { entries } = await history(app, board);
    expect(entries.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5]);
    expect(new Set(entries.map(({ id }) => id)).size).toBe(5);
    expectTroubles(connectionTrouble);
  });

  test("a shape whose answer got lost is sent again and stored once", async () => {
    const board = freshBoard();
    const bob = await open({ app, board, name: "Bob" });
    const context = await browser.newContext({ viewport: { width: 1000, height: 760 } });
    const ada = await context.newPage();
    let isDeaf = false;
    let current: WebSocketRoute | null = null;
    await ada.routeWebSocket(/client\/hubs/, (socket) => {
      current = socket;
      socket.connectToServer().onMessage((message) => {
        if (!isDeaf) socket.send(message);
      });
    });
    await enter(ada, { app, board, name: "Ada" });
    await status(ada, "Saved");
    isDeaf = true;
    await draw(ada, [
      [100, 500],
      [900, 500],
    ]);
    await shapesOf(bob, 1);
    isDeaf = false;
    await (current as WebSocketRoute | null)?.close();
    await status(ada, "Saved");
    await shapesOf(ada, 1);
    const where = (event: string): boolean => event === `shape at ${board}`;
    for (const what of ["shape", "shape again"]) await tap.userEvents.take({ what, where, withinMs: deadlineMs });
    expect((await history(app, board)).entries.map(({ number }) => number)).toEqual([1]);
    await seeTheSame(ada, bob);
  });

  test("a page that missed a message fetches it when the next one comes", async () => {
    const board = freshBoard();
    const ada = await open({ app, board, name: "Ada" });
    const bob = await (await browser.newContext({ viewport: { width: 1000, height: 760 } })).newPage();
    const missed = new Inbox<string>();
    let hasMissed = false;
    await bob.routeWebSocket(/client\/hubs/, (socket) => {
      socket.connectToServer().onMessage((message) => {
        if (hasMissed || !String(message).includes('"kind":"shape","number":1,')) return socket.send(message);
        hasMissed = true;
        missed.push(String(message));
      });
    });
    await enter(bob, { app, board, name: "Bob" });
    await status(bob, "Saved");
    await draw(ada, [
      [100, 100],
      [900, 100],
    ]);
    await status(ada, "Saved");
    await missed.take({ what: "first shape", withinMs: deadlineMs });
    await draw(ada, [
      [100, 300],
      [900, 300],
    ]);
    await shapesOf(bob, 2);
    await seeTheSame(ada, bob);
  });

  test("images of each kind are seen by the others, and served so that nothing in them runs", async () => {
    const board = freshBoard();
    const ada = await open({ app, board, name: "Ada" });
    const bob = await open({ app, board, name: "Bob" });
    for (const [at, type] of ["image/png", "image/jpeg", "image/webp"].entries()) {
      const file = { name: "drawn", mimeType: type, buffer: await imageFile(ada, type) };
      await ada.getByLabel("Add an image").setInputFiles(file);
      await shapesOf(bob, at + 1);
    }
    await see(bob, [800, 500], "Red");
    // Dropped, it lands where it was dropped.
    await dropImage(ada, [300, 200]);
    await shapesOf(bob, 4);
    await see(bob, [300, 200], "Red");
    await seeTheSame(ada, bob);

    const { entries } = await history(app, board);
    const types: (string | null)[] = [];
    for (const { shape } of entries) {
      if (shape?.tool !== "image") throw new Error("not an image");
      const { headers, status: code } = await fetch(`${app.url}/boards/${board}/images/${shape.image}`);
      expect(code).toBe(200);
      types.push(headers.get("content-type"));
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-security-policy")).toBe("default-src 'none'; sandbox");
    }
    expect(types).toEqual(["image/png", "image/jpeg", "image/webp", "image/png"]);
  });

  test("an image that is too large and a file that is none are refused in words", async () => {
    const board = freshBoard();
    const ada = await open({ app, board, name: "Ada" });
    const add = (buffer: Buffer, mimeType: string) =>
      ada.getByLabel("Add an image").setInputFiles({ name: "file", mimeType, buffer });
    await add(Buffer.alloc(5 * 1024 * 1024 + 1), "image/png");
    await note(ada, "An image may have 5 MB.");
    await add(Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"), "image/png");
    await note(ada, "That file is not a PNG, JPEG or WebP image.");
    expectTroubles(/415/);

    // The application does not rely on what the page checks.
    const post = async (body: Uint8Array<ArrayBuffer>) => {
      const response = await fetch(`${app.url}/boards/${board}/images`, {
        method: "POST",
        headers: { "Content-Type": "image/png" },
        body,
      });
      return [response.status, ((await response.json()) as { error: string }).error];
    };
    expect(await post(new Uint8Array(5 * 1024 * 1024 + 1))).toEqual([413, "An image may have 5 MB."]);
    const png = new Uint8Array(await imageFile(ada, "image/png"));
    const endless = png.slice();
    new DataView(endless.buffer).setUint32(16, 100_000);
    expect(await post(endless)).toEqual([413, "An image has at most 8192 pixels on each side."]);
    expect(await post(png.slice(0, 20))).toEqual([415, "That file is not a PNG, JPEG or WebP image."]);
    expect(await post(new Uint8Array(0))).toEqual([415, "That file is not a PNG, JPEG or WebP image."]);
    await shapesOf(ada, 0);
  });

  test("clear asks first, clears for everybody, and stays cleared", async () => {
    const board = freshBoard();
    const ada = await open({ app, board, name: "Ada" });
    const bob = await open({ app, board, name: "Bob" });
    await draw(ada, [
      [100, 500],
      [900, 500],
    ]);
    await ada.getByLabel("Add an image").setInputFiles({
      name: "drawn.png",
      mimeType: "image/png",
      buffer: await imageFile(ada, "image/png"),
    });
    await shapesOf(bob, 2);
    const image = (await history(app, board)).entries.flatMap(({ shape }) =>
      shape?.tool === "image" ? shape.image : [],
    );
    await ada.getByRole("button", { name: "Clear", exact: true }).click();
    await ada.getByRole("button", { name: "Keep it" }).click();
    await ada.getByRole("button", { name: "Clear", exact: true }).click();
    await shapesOf(bob, 2);
    await ada.getByRole("button", { name: "Clear for everybody" }).click();
    for (const page of [ada, bob]) {
      await shapesOf(page, 0);
      await see(page, [500, 500], null);
      await note(page, "Ada cleared the board.");
    }
    await bob.getByText("An empty board.").waitFor();
    await bob.reload();
    await status(bob, "Saved");
    await shapesOf(bob, 0);
    expect((await fetch(`${app.url}/boards/${board}/images/${image[0] ?? ""}`)).status).toBe(404);

    await draw(bob, [
      [100, 300],
      [900, 300],
    ]);
    await shapesOf(ada, 1);
    await seeTheSame(ada, bob);
  });

  test("a page that was away while the board was cleared has what came after, and nothing else", async () => {
    const board = freshBoard();
    const ada = await open({ app, board, name: "Ada" });
    const bob = await open({ app, board, name: "Bob" });
    await draw(ada, [
      [100, 500],
      [900, 500],
    ]);
    await shapesOf(bob, 1);
    const letIn = await lockOut(app, [bob]);
    await status(ada, "Saved");
    await ada.getByRole("button", { name: "Clear", exact: true }).click();
    await ada.getByRole("button", { name: "Clear for everybody" }).click();
    await shapesOf(ada, 0);
    await draw(ada, [
      [100, 300],
      [900, 300],
    ]);
    await status(ada, "Saved");
    await letIn();
    await see(bob, [500, 300], "Ink");
    await see(bob, [500, 500], null);
    await seeTheSame(ada, bob);
    expectTroubles(connectionTrouble);
  });

  test("undo takes back one's own last shape and nobody else's", async () => {
    const board = freshBoard();
    const ada = await open({ app, board, name: "Ada" });
    const bob = await open({ app, board, name: "Bob" });
    for (const y of [200, 400]) {
      await draw(ada, [
        [100, y],
        [900, y],
      ]);
    }
    await shapesOf(bob, 2);
    await draw(bob, [
      [100, 600],
      [900, 600],
    ]);
    await shapesOf(ada, 3);
    await ada.getByRole("button", { name: "Undo my last shape" }).click();
    await shapesOf(bob, 2);
    await see(bob, [500, 400], null);
    await ada.keyboard.press("Control+z");
    await shapesOf(bob, 1);
    await ada.keyboard.press("Control+z");
    await note(ada, "There is nothing of yours to undo.");
    await ada.reload();
    await shapesOf(ada, 1);
    await seeTheSame(ada, bob);
  });

  test("the count of people follows joins and leaves, and names are text", async () => {
    const board = freshBoard();
    const ada = await open({ app, board, name: "Ada" });
    const count = (page: Page, text: string) => page.getByRole("button", { name: text, exact: true }).waitFor();
    await count(ada, "1 online");
    const bob = await open({ app, board, name: "<b>Bob é</b>/1" });
    await count(ada, "2 online");
    await count(bob, "2 online");
    // A second window of the same person is nobody new.
    const again = await ada.context().newPage();
    await again.goto(`${app.url}/?board=${board}`);
    await status(again, "Saved");
    await count(again, "2 online");
    // Somebody at another board is not counted.
    await open({ app, board: freshBoard(), name: "Carol" });
    await ada.getByRole("button", { name: "2 online" }).click();
    expect((await ada.locator("#people-list li").allInnerTexts()).toSorted()).toEqual(["<b>Bob é</b>/1", "Ada (you)"]);
    await bob.mouse.move(...(await place(bob, [800, 500])));
    await ada.locator(".pointer", { hasText: "<b>Bob é</b>/1" }).locator("span").waitFor();
    await bob.context().close();
    await count(ada, "1 online");
    await ada.locator(".pointer").waitFor({ state: "detached" });
  });

  test("fingers draw on a phone, and two of them zoom", async () => {
    const board = freshBoard();
    const desktop = await open({ app, board, name: "Ada" });
    const phone = await open({
      app,
      board,
      name: "Bob",
      context: { viewport: { width: 375, height: 720 }, hasTouch: true, isMobile: true, deviceScaleFactor: 3 },
    });
    const device = await phone.context().newCDPSession(phone);
    const touch = async (type: "touchStart" | "touchMove" | "touchEnd", ...positions: readonly Position[]) => {
      const points = await Promise.all(positions.map((position) => place(phone, position)));
      const touchPoints = points.map(([x, y], id) => ({ x, y, id }));
      await device.send("Input.dispatchTouchEvent", { type, touchPoints });
    };
    await phone.getByRole("radio", { name: "Green" }).check();
    await phone.getByRole("radio", { name: "Thick" }).check();
    await touch("touchStart", [300, 500]);
    for (const x of [500, 700, 900]) await touch("touchMove", [x, 500]);
    await touch("touchEnd");
    await see(desktop, [600, 500], "Green");
    await shapesOf(desktop, 1);
    const fits = await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
    expect(fits).toBe(true);

    await phone.getByRole("button", { name: "Show the whole board" }).filter({ hasText: "21 %" }).waitFor();
    await touch("touchStart", [700, 700]);
    await touch("touchStart", [700, 700], [900, 700]);
    await touch("touchMove", [500, 700], [1100, 700]);
    await touch("touchEnd");
    await phone.getByText("64 %").waitFor();
    await phone.getByRole("button", { name: "Show the whole board" }).click();
    await phone.getByText("21 %").waitFor();
    // The first finger drew nothing.
    for (const page of [phone, desktop]) {
      await see(page, [700, 700], null);
      await shapesOf(page, 1);
    }
  });

  test("the toolbar works by keyboard", async () => {
    const ada = await open({ app, board: freshBoard(), name: "Ada" });
    await ada.getByRole("radio", { name: "Pen" }).focus();
    await ada.keyboard.press("ArrowRight");
    expect(await ada.getByRole("radio", { name: "Eraser" }).isChecked()).toBe(true);
    await ada.keyboard.press("r");
    expect(await ada.getByRole("radio", { name: "Rectangle" }).isChecked()).toBe(true);
    await ada.keyboard.press("Tab");
    await ada.keyboard.press("+");
    await ada.keyboard.press("0");
    await ada.getByRole("button", { name: "Clear", exact: true }).focus();
    await ada.keyboard.press("Enter");
    await ada.getByRole("dialog").waitFor();
    await ada.keyboard.press("Escape");
    await ada.getByRole("dialog").waitFor({ state: "hidden" });
  });

  test.each(["light", "dark"] as const)("axe finds nothing to object to, %s", async (colorScheme) => {
    // The page's own policy would keep the checker out.
    const context = await browser.newContext({ bypassCSP: true, colorScheme });
    const page = await context.newPage();
    const violations = async () => {
      await page.addScriptTag({ path: fileURLToPath(import.meta.resolve("axe-core/axe.min.js")) });
      return page.evaluate(
        `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html]))`,
      );
    };
    const board = freshBoard();
    await page.goto(`${app.url}/?board=${board}`);
    await page.getByLabel("Your name").waitFor();
    expect(await violations()).toEqual([]);
    await enter(page, { app, board, name: "Ada" });
    await status(page, "Saved");
    await page.getByRole("button", { name: "1 online" }).click();
    expect(await violations()).toEqual([]);
    await page.getByRole("button", { name: "Clear", exact: true }).click();
    expect(await violations()).toEqual([]);
  });

  test("a connection is good for its board alone, and what is no shape is refused", async () => {
    const board = freshBoard();
    const query = new URLSearchParams({ board, id: "0".repeat(32), name: "Mallory" });
    const { url } = (await (await fetch(`${app.url}/negotiate?${query.toString()}`)).json()) as { url: string };
    const token = new URL(url).searchParams.get("access_token");
    const client = await connectJson(app.server, { hub: "whiteboard", token });
    const ask = async (frame: JsonFrame): Promise<JsonFrame[]> => {
      client.send({ ...frame, ackId: (lastAckId += 1) });
      const frames: JsonFrame[] = [];
      for (;;) {
        const answer = await client.next({ withinMs: deadlineMs });
        if (answer["from"] !== "group") frames.push(answer);
        if (answer["type"] === "ack") return frames;
      }
    };
    let lastAckId = 0;
    const forbidden = { type: "ack", success: false, error: { name: "Forbidden" } };
    expect(await ask({ type: "joinGroup", group: "other" })).toMatchObject([forbidden]);
    expect(await ask({ type: "sendToGroup", group: "other", dataType: "text", data: "x" })).toMatchObject([forbidden]);

    const stroke = { id: "a".repeat(32), tool: "pen", colour: "#20242a", width: 3, points: [1, 1, 5, 5] };
    const event = { type: "event", event: "shape", dataType: "json" };
    const wrong = [
      { ...stroke, points: [1, 1, 5] },
      { ...stroke, points: Array.from({ length: 4002 }, () => 1) },
      { ...stroke, points: [1, 1001] },
      { ...stroke, colour: "url(//elsewhere)" },
      { ...stroke, width: 1000 },
      { ...stroke, tool: "ellipse", points: [1, 1] },
      { ...stroke, tool: "image", image: "../../etc", points: [1, 1, 5, 5] },
      { ...stroke, id: "short" },
      "text",
    ];
    for (const data of wrong) {
      expect(await ask({ ...event, data })).toMatchObject([
        { data: { kind: "refused", reason: "That is not a shape this board knows." } },
        { success: true },
      ]);
    }
    expect(await ask({ ...event, data: { ...stroke, extra: "x" } })).toMatchObject([
      { data: { kind: "done", number: 1 } },
      { success: true },
    ]);
    expect((await history(app, board)).entries.map(({ shape }) => shape)).toEqual([stroke as never]);
  });

  test("events are believed from the service alone", async () => {
    const board = freshBoard();
    const ada = await open({ app, board, name: "Ada" });
    await draw(ada, [[300, 300]]);
    await shapesOf(ada, 1);
    await status(ada, "Saved");
    const userId = `${board}/${"0".repeat(32)}/Mallory`;
    const forgery = { hub: "whiteboard", userId, event: "clear", data: { id: "0".repeat(32) } };
    expect(await forgeEvents(app.url, forgery)).toEqual([401]);
    expect((await history(app, board)).entries.length).toBe(1);
  });

  test("names and boards that cannot be are refused in words", async () => {
    const ask = async (query: Record<string, string>) => {
      const response = await fetch(`${app.url}/negotiate?${new URLSearchParams(query).toString()}`);
      return [response.status, (await response.json()) as unknown];
    };
    const refused = [400, { error: "A name has 1 to 24 characters; a board has letters a to z, digits and dashes." }];
    const id = "0".repeat(32);
    expect(await ask({ board: "a", id, name: "n".repeat(25) })).toEqual(refused);
    expect(await ask({ board: "A B", id, name: "Ada" })).toEqual(refused);
    expect(await ask({ board: "a", id: "1", name: "Ada" })).toEqual(refused);
    expect((await fetch(`${app.url}/boards/A%20B/shapes`)).status).toBe(400);
    expect((await fetch(`${app.url}/boards/a/shapes?after=-1`)).status).toBe(400);
  });
});

describe("whiteboard storage", () => {
  const full = { kind: "refused", reason: "This board is full. Clear it, or start another one." } as const;
  const idOf = (at: number): string => at.toString(16).padStart(32, "0");
  const stroke = (at: number, points: readonly number[] = [1, 1, 5, 5]) =>
    ({ id: idOf(at), tool: "pen", colour: "#20242a", width: 3, points }) as const;
  const picture = (at: number, image: string) =>
    ({ id: idOf(at), tool: "image", image, points: [0, 0, 9, 9] }) as const;
  const image = { type: "image/png", bytes: new Uint8Array([1, 2, 3]) };
  const stores: BoardStore[] = [];
  const openStore = (limits: Partial<StoreLimits> = {}) => {
    const store = new BoardStore(join(tempDir(), "boards.sqlite"), limits);
    stores.push(store);
    return store;
  };
  afterAll(() => {
    for (const store of stores) store.close();
  });

  test("a shape sent twice is stored once, also when it is gone by then", () => {
    const store = openStore();
    expect(store.add("a", "ada", stroke(1))).toEqual({ kind: "stored", number: 1 });
    expect(store.add("a", "ada", stroke(1))).toEqual({ kind: "repeated", number: 1 });
    expect(store.remove("a", "ada", idOf(1))).toEqual({ kind: "stored", number: 2 });
    expect(store.remove("a", "ada", idOf(1))).toEqual({ kind: "repeated", number: 2 });
    expect(store.add("a", "ada", stroke(1))).toEqual({ kind: "repeated", number: 2 });
    expect(store.add("a", "ada", stroke(2))).toEqual({ kind: "stored", number: 3 });
    expect(store.clear("a")).toBe(4);
    expect(store.add("a", "ada", stroke(2))).toEqual({ kind: "repeated", number: 4 });
    expect(store.history("a", 0)).toEqual({ latest: 4, reset: true, entries: [] });
  });

  test("the history has what is new, and everything when it cannot say", () => {
    const store = openStore();
    expect(store.history("a", 0)).toEqual({ latest: 0, reset: false, entries: [] });
    for (const at of [1, 2, 3]) store.add("a", "ada", stroke(at));
    store.remove("a", "ada", idOf(1));
    const entry = (at: number, number = at) => ({ number, id: idOf(at), author: "ada", shape: stroke(at) });
    const removed = { ...entry(1, 4), shape: null };
    expect(store.history("a", 2)).toEqual({ latest: 4, reset: false, entries: [entry(3), removed] });
    expect(store.history("a", 0)).toEqual({ latest: 4, reset: false, entries: [entry(2), entry(3)] });
    // A page that knows more than is stored knows another board.
    expect(store.history("a", 9)).toEqual({ latest: 4, reset: true, entries: [entry(2), entry(3)] });
    store.clear("a");
    store.add("a", "ada", stroke(4));
    expect(store.history("a", 3)).toEqual({ latest: 6, reset: true, entries: [entry(4, 6)] });
    expect(store.history("a", 5)).toEqual({ latest: 6, reset: false, entries: [entry(4, 6)] });
  });

  test("only who drew a shape takes it back", () => {
    const store = openStore();
    store.add("a", "ada", stroke(1));
    expect(store.remove("a", "bob", idOf(1))).toEqual({
      kind: "refused",
      reason: "Only who drew a shape can undo it.",
    });
  });

  test("boards, shapes, bytes and images have their bounds", () => {
    const few = openStore({ shapesPerBoard: 2, boards: 2 });
    for (const at of [1, 2]) expect(few.add("a", "ada", stroke(at)).kind).toBe("stored");
    expect(few.add("a", "ada", stroke(3))).toEqual(full);
    few.remove("a", "ada", idOf(1));
    expect(few.add("a", "ada", stroke(3)).kind).toBe("stored");
    expect(few.add("b", "ada", stroke(1)).kind).toBe("stored");
    const tooMany = "There are too many boards. Use one that is there.";
    expect(few.add("c", "ada", stroke(1))).toEqual({ kind: "refused", reason: tooMany });
    expect(few.addImage("c", idOf(1), image)).toBe(tooMany);

    const small = openStore({ bytesPerBoard: 200, imagesPerBoard: 1 });
    expect(small.add("a", "ada", stroke(1)).kind).toBe("stored");
    expect(small.add("a", "ada", stroke(2))).toEqual(full);
    expect(small.addImage("a", idOf(1), image)).toBeNull();
    expect(small.addImage("a", idOf(2), image)).toBe("A board holds 1 images.");
  });

  test("an image goes with the last shape that shows it", () => {
    const store = openStore();
    expect(store.add("a", "ada", picture(1, idOf(9)))).toEqual({
      kind: "refused",
      reason: "That image is not here any more.",
    });
    store.addImage("a", idOf(9), image);
    for (const at of [1, 2]) expect(store.add("a", "ada", picture(at, idOf(9))).kind).toBe("stored");
    store.remove("a", "ada", idOf(1));
    expect(store.image("a", idOf(9))).toMatchObject({ type: "image/png" });
    expect(store.image("b", idOf(9))).toBeNull();
    store.remove("a", "ada", idOf(2));
    expect(store.image("a", idOf(9))).toBeNull();
  });

  test("what is gone is forgotten in the end, and the history says so", () => {
    const store = openStore({ rememberedChanges: 4 });
    for (let at = 1; at <= 6; at += 1) {
      store.add("a", "ada", stroke(at));
      store.remove("a", "ada", idOf(at));
    }
    const { latest, reset, entries } = store.history("a", 1);
    expect({ latest, reset, entries }).toEqual({ latest: 12, reset: true, entries: [] });
    expect(store.history("a", 8)).toMatchObject({ reset: false, entries: [{ number: 10 }, { number: 12 }] });
  });
});

/** A file of this kind: 200 by 100 pixels of red. */
async function imageFile(page: Page, type: string): Promise<Buffer> {
  const url = await page.evaluate((wanted) => {
    const canvas = document.createElement("canvas");
    canvas.width = 200;
    canvas.height = 100;
    const context = canvas.getContext("2d");
    if (context === null) return "";
    context.fillStyle = "#c8323c";
    context.fillRect(0, 0, 200, 100);
    return canvas.toDataURL(wanted, 1);
  }, type);
  return Buffer.from(url.split(",")[1] ?? "", "base64");
}

async function dropImage(page: Page, position: Position): Promise<void> {
  const bytes = [...(await imageFile(page, "image/png"))];
  const dataTransfer = await page.evaluateHandle((content) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(content)], "dropped.png", { type: "image/png" }));
    return transfer;
  }, bytes);
  const [clientX, clientY] = await place(page, position);
  await page.dispatchEvent("#canvas", "drop", { dataTransfer, clientX, clientY });
}

/** What the service tells the application, on its way. */
interface EventTap {
  /** User events, as "<name> at <board>". */
  readonly userEvents: Inbox<string>;
  stop(): void;
}

/** Puts itself between the service and the application, and passes everything on. */
async function tapEvents(app: Example): Promise<EventTap> {
  const userEvents = new Inbox<string>();
  const tap: HttpServer = createServer((incoming, answer) => {
    const { method, headers, url } = incoming;
    if (String(headers["ce-type"]).startsWith("azure.webpubsub.user.")) {
      const [board = ""] = String(headers["ce-userid"]).split("/");
      userEvents.push(`${String(headers["ce-eventname"])} at ${board}`);
    }
    const outgoing = forward(`${app.url}${url ?? ""}`, { method, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 500, response.headers);
      response.pipe(answer);
    });
    outgoing.on("error", () => answer.writeHead(502).end());
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => tap.listen(0, "127.0.0.1", resolve));
  const urlTemplate = `http://127.0.0.1:${(tap.address() as AddressInfo).port}/eventhandler`;
  const systemEvents = ["connected", "disconnected"];
  await app.server.reconfigure({
    hubs: { whiteboard: { eventHandlers: [{ urlTemplate, userEventPattern: "*", systemEvents }] } },
  });
  return {
    userEvents,
    stop: () => {
      tap.close();
      tap.closeAllConnections();
    },
  };
}
