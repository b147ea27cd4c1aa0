import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import type { Browser, Page, WebSocketRoute } from "playwright-core";
import { DeviceClient } from "../../examples/event-notifications/shared/device-client.ts";
import type { State } from "../../examples/event-notifications/shared/messages.ts";
import { launchChromium, trustOf } from "../browser/chromium.ts";
import { type Example, startExample } from "../support/example.ts";
import { freePort } from "../support/free-port.ts";
import { until } from "../support/until.ts";
import { forgeEvents } from "./forged-events.ts";
import { Program } from "./program.ts";

const deadlineMs = 30_000;
const folder = fileURLToPath(new URL("../../examples/event-notifications", import.meta.url));
const ways = {
  webhook: {},
  tunnel: { config: "tunnel.yaml", command: [process.execPath, "tunnel.ts"] },
} as const;
const complaints: string[] = [];
let parcels = 100;

/** A parcel of this test alone. */
const freshParcel = (): string => `P-${++parcels}`;

async function startTracker(way: keyof typeof ways, scheme: "http" | "https" = "http"): Promise<Example> {
  const app = await startExample("event-notifications", { ...ways[way], scheme });
  // Behind a tunnel the address alone is not enough.
  await until("the tracker is ready", async () => {
    const isUp = await fetch(`${app.url}/state`).then(
      ({ ok }) => ok,
      () => false,
    );
    return isUp && (way === "webhook" || app.output().includes("forwarding to"));
  });
  return app;
}

/** A dashboard in a browser of its own. */
async function openDashboard(browser: Browser, app: Example): Promise<Page> {
  const context = await browser.newContext();
  context.setDefaultTimeout(deadlineMs);
  const page = await context.newPage();
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  await page.goto(app.url);
  await page.locator("#connection").getByText("live", { exact: true }).waitFor();
  return page;
}

const row = (page: Page, text: string) => page.locator("#feed > li").filter({ hasText: text });

const count = (page: Page, label: string) => page.locator("#tiles > div").filter({ hasText: label }).locator("dd");

async function stateOf(app: Example): Promise<State> {
  return (await (await fetch(`${app.url}/state`)).json()) as State;
}

/** `npm run device`: the same client in a process of its own, which trusts what the application trusts. */
function startDevice(app: Example, name: string): Program {
  const [, authority] = /^export NODE_EXTRA_CA_CERTS=(.+)$/m.exec(app.server.output()) ?? [];
  const trust = authority === undefined ? {} : { NODE_EXTRA_CA_CERTS: authority };
  return new Program([process.execPath, "device.ts", name, app.url], { cwd: folder, env: { PACE_MS: "1", ...trust } });
}

afterEach(() => {
  expect(complaints.splice(0)).toEqual([]);
});

describe.each([
  ["webhook", "http"],
  ["webhook", "https"],
  ["tunnel", "http"],
  ["tunnel", "https"],
] as const)("tutorial: event notifications by %s, %s", (way, scheme) => {
  let app: Example;
  let browser: Browser;
  beforeAll(async () => {
    app = await startTracker(way, scheme);
    browser = await launchChromium(scheme === "https" ? [await trustOf(app.server)] : []);
  });
  afterAll(async () => {
    await browser.close();
    await app.stop();
  });

  test("M-2 what a device does is seen at once on every dashboard, and answered to the device", async () => {
    const [first, second] = [await openDashboard(browser, app), await openDashboard(browser, app)];
    await first.getByText("Nothing has happened yet.").waitFor();
    await first.getByText("No device is online.").waitFor();

    const device = startDevice(app, "Vän <b>7</b> 🚚");
    expect(await device.ended()).toBe(0);
    expect(device.complaints).toBe("");
    for (const page of [first, second]) {
      await row(page, "Vän <b>7</b> 🚚 came online").waitFor();
      await row(page, "Vän <b>7</b> 🚚 went offline").waitFor();
      // The service does not wait until the application has heard who came.
      const reported = await page.locator("#feed > li:not(.is-presence) .what").allInnerTexts();
      expect(reported.map((line) => line.replace(/P-\d+/, "P"))).toEqual([
        "P not delivered",
        "P on the way",
        "Vän <b>7</b> 🚚 needs help",
        "P delivered",
        "P on the way",
        "P collected",
        "P collected",
      ]);
      expect(await count(page, "Not delivered").innerText()).toBe("1");
      expect(await page.locator("#feed b").count()).toBe(0);
      expect(await page.getByText("Nothing has happened yet.").isVisible()).toBe(false);
    }
    const told = device.lines.untaken.map((line) => line.replaceAll(/P-\d+/g, "P"));
    expect(told).toEqual([
      "Vän <b>7</b> 🚚 is online.",
      "report P, collected",
      "  ✓ P is collected.",
      "report P, collected, handle with care",
      "  ✓ P is collected.",
      "report P, on the way",
      "  ✓ P is on the way.",
      "report P, delivered, left with the neighbour at no. 12",
      "  ✓ P is delivered.",
      "report P, delivered",
      "  ✗ refused: P was delivered already, by Vän <b>7</b> 🚚.",
      "help Road closed at the harbour bridge",
      "  ✓ The dispatcher knows.",
      "report P, on the way",
      "  ✓ P is on the way.",
      "report P, not delivered, nobody at home",
      "  ✓ P is not delivered.",
      "lookup P",
      "  ✓ P is not delivered, says Vän <b>7</b> 🚚.",
      "Vän <b>7</b> 🚚 is back.",
    ]);
    for (const page of [first, second]) await page.context().close();
  });
});

describe("tutorial: event notifications, the events of a device", () => {
  let app: Example;
  let browser: Browser;
  const devices: DeviceClient[] = [];
  beforeAll(async () => {
    app = await startTracker("webhook");
    browser = await launchChromium();
  });
  afterEach(async () => {
    for (const device of devices.splice(0)) void device.stop();
    for (const context of browser.contexts()) await context.close();
  });
  afterAll(async () => {
    await browser.close();
    await app.stop();
  });

  async function connect(name: string): Promise<DeviceClient> {
    const device = new DeviceClient(app.url, name);
    devices.push(device);
    await device.start();
    return device;
  }

  test("the acknowledgement comes once the handler has answered: what was reported is there, and its answer", async () => {
    const device = await connect("Van 1");
    for (let at = 0; at < 20; at++) {
      const parcel = freshParcel();
      expect(await device.send(["report", { parcel, status: "collected" }])).toEqual({
        ok: true,
        text: `${parcel} is collected.`,
      });
      expect((await stateOf(app)).notifications.map((each) => each.parcel)).toContain(parcel);
    }
  });

  test("an answer is for the device that asked alone", async () => {
    const page = await openDashboard(browser, app);
    const [asking, other] = [await connect("Van 2"), await connect("Van 3")];
    const parcel = freshParcel();
    await other.send(["report", { parcel, status: "collected" }]);
    const [looked, helped] = await Promise.all([
      asking.send(["lookup", { parcel }]),
      other.send(["help", { text: "Flat tyre" }]),
    ]);
    expect(looked).toEqual({ ok: true, text: `${parcel} is collected, says Van 3.` });
    expect(helped).toEqual({ ok: true, text: "The dispatcher knows." });
    await row(page, "Flat tyre").waitFor();
    expect(await row(page, parcel).count()).toBe(1);
  });

  test("what cannot be is refused in words, and no dashboard shows it", async () => {
    const page = await openDashboard(browser, app);
    const device = await connect("Van 4");
    const [parcel, unknown] = [freshParcel(), freshParcel()];
    const refusals = [
      [["report", { parcel: unknown, status: "delivered" }], `${unknown} was never collected.`],
      [["lookup", { parcel: unknown }], `Nobody has reported ${unknown}.`],
    ] as const;
    for (const [event, text] of refusals) expect(await device.send(event)).toEqual({ ok: false, text });
    await device.send(["report", { parcel, status: "collected" }]);
    expect(await device.send(["report", { parcel, status: "collected" }])).toEqual({
      ok: false,
      text: `${parcel} is collected already.`,
    });
    await row(page, parcel).waitFor();
    expect(await row(page, parcel).count()).toBe(1);
    expect(await row(page, unknown).count()).toBe(0);
  });

  test("a failure of the handler is reported to the device in words, and it goes on", async () => {
    const device = await connect("Van 5");
    const failed = "The application did not take it: Internal server error";
    const faulty = [
      ["report", { parcel: "P-x", status: "collected" }],
      ["report", { parcel: freshParcel(), status: "eaten" }],
      ["report", { parcel: freshParcel(), status: "collected", note: "x".repeat(201) }],
      ["help", { text: " " }],
    ] as const;
    for (const event of faulty) {
      expect(await device.send(event).catch((error: Error) => error.message)).toBe(failed);
    }
    expect((await device.send(["help", { text: "Out of petrol" }])).ok).toBe(true);
  });

  test("the test van of the page is a device, and shows what it is answered", async () => {
    const page = await openDashboard(browser, app);
    await page.getByRole("button", { name: "Send out the test van" }).click();
    await page.locator("#devices > li").filter({ hasText: "Test van" }).waitFor();
    await page.locator("#van > .refusal").filter({ hasText: "was delivered already, by Test van" }).waitFor();
    await page.locator("#van > li").filter({ hasText: "is not delivered, says Test van" }).waitFor();
    await row(page, "went offline").first().waitFor();
    expect(await page.locator("#devices > li").filter({ hasText: "Test van" }).count()).toBe(0);
  });

  test("a name that is too long, or none, gets no URL", async () => {
    for (const name of ["n".repeat(25), " "]) {
      const device = new DeviceClient(app.url, name);
      expect(await device.start().catch((error: Error) => error.message)).toContain(
        "A device's name has 1 to 24 characters.",
      );
    }
  });

  test("events are believed from the service alone", async () => {
    const forgery = { hub: "deliveries", userId: "Ghost", event: "help", data: { text: "forged" } };
    expect(await forgeEvents(app.url, forgery)).toEqual([401]);
    const { notifications } = await stateOf(app);
    expect(notifications.filter(({ device }) => device === "Ghost")).toEqual([]);
  });

  test("a van whose page or terminal is closed on its round is offline at once", async () => {
    const page = await openDashboard(browser, app);
    const other = await openDashboard(browser, app);
    await other.getByRole("button", { name: "Send out the test van" }).click();
    await row(page, "Test van").first().waitFor();
    await page.locator("#devices > li").filter({ hasText: "Test van" }).waitFor();
    const van = new Program([process.execPath, "device.ts", "Van 10", app.url], { cwd: folder });
    await van.line("Van 10 is online.");
    await page.locator("#devices > li").filter({ hasText: "Van 10" }).waitFor();

    const leftAt = Date.now();
    await other.close();
    expect(await van.stop()).toBe(1);
    for (const name of ["Test van", "Van 10"]) {
      await page.locator("#devices > li").filter({ hasText: name }).waitFor({ state: "detached" });
    }
    // The service keeps a connection that just breaks off for 30 seconds.
    expect(Date.now() - leftAt).toBeLessThan(20_000);
  });

  test("a second connection of a device is announced neither when it opens nor when it closes", async () => {
    const page = await openDashboard(browser, app);
    const first = await connect("Van 6");
    await row(page, "Van 6 came online").waitFor();
    const second = await connect("Van 6");
    await second.stop();
    await first.send(["help", { text: "still here" }]);
    await row(page, "still here").waitFor();
    await first.stop();
    await row(page, "Van 6 went offline").waitFor();
    expect((await row(page, "Van 6").locator(".what").allInnerTexts()).toReversed()).toEqual([
      "Van 6 came online",
      "Van 6 needs help",
      "Van 6 went offline",
    ]);
  });

  test("a device whose going nobody was told is found to be gone", async () => {
    const page = await openDashboard(browser, app);
    const device = await connect("Van 11");
    await page.locator("#devices > li").filter({ hasText: "Van 11" }).waitFor();
    await app.server.reconfigure({ hubs: { deliveries: { eventHandlers: [] } } });
    await device.stop();
    await row(page, "Van 11 went offline").waitFor();
    const urlTemplate = `${app.url}/eventhandler`;
    const systemEvents = ["connect", "connected", "disconnected"];
    const handler = { urlTemplate, userEventPattern: "report,help,lookup", systemEvents };
    await app.server.reconfigure({ hubs: { deliveries: { eventHandlers: [handler] } } });
    expect(await page.locator("#devices > li").filter({ hasText: "Van 11" }).count()).toBe(0);
  });

  test("a dashboard that cannot connect at first says so, and tries again", async () => {
    const context = await browser.newContext();
    context.setDefaultTimeout(deadlineMs);
    const page = await context.newPage();
    await page.route("**/negotiate", (route) => route.abort());
    await page.goto(app.url);
    const problem = page.getByText("The application or the service cannot be reached. Trying again …");
    await problem.waitFor();
    await page.unroute("**/negotiate");
    await page.locator("#connection").getByText("live", { exact: true }).waitFor();
    await problem.waitFor({ state: "hidden" });
  });

  test("a dashboard whose socket breaks says so, and is back by itself", async () => {
    const context = await browser.newContext();
    context.setDefaultTimeout(deadlineMs);
    const page = await context.newPage();
    const sockets: WebSocketRoute[] = [];
    await page.routeWebSocket(/.*/, (route) => {
      route.connectToServer();
      sockets.push(route);
    });
    await page.goto(app.url);
    const live = page.locator("#connection").getByText("live", { exact: true });
    await live.waitFor();
    const back = Promise.withResolvers<void>();
    await page.route("**/negotiate", async (route) => {
      await back.promise;
      await route.continue();
    });
    await sockets[0]?.close({ code: 4000 });
    await page.getByText("reconnecting").waitFor();
    back.resolve();
    await live.waitFor();
  });

  test("R-81 a dashboard that was cut off catches up by itself", async () => {
    const page = await openDashboard(browser, app);
    const device = await connect("Van 8");
    await row(page, "Van 8 came online").waitFor();
    const back = Promise.withResolvers<void>();
    await page.route("**/negotiate", async (route) => {
      await back.promise;
      await route.continue();
    });
    await app.server.rest({ method: "POST", path: "/api/hubs/deliveries/groups/dashboards/:closeConnections" });
    await page.getByText("reconnecting").waitFor();
    await device.send(["help", { text: "while nobody looked" }]);
    back.resolve();
    await page.locator("#connection").getByText("live", { exact: true }).waitFor();
    await row(page, "while nobody looked").waitFor();
    await device.send(["help", { text: "while somebody looks" }]);
    await row(page, "while somebody looks").waitFor();
  });

  test("a reload and a restart of the application lose nothing; a device learns that nobody answers meanwhile", async () => {
    const page = await openDashboard(browser, app);
    const device = await connect("Van 9");
    const parcel = freshParcel();
    await device.send(["report", { parcel, status: "collected", note: "fragile" }]);
    await row(page, parcel).waitFor();
    const before = await page.locator("#feed > li").allInnerTexts();

    await app.stopApp();
    const refused = await device.send(["lookup", { parcel }]).catch((error: Error) => error.message);
    expect(refused).toBe("The application did not take it: Internal server error");
    await app.startApp();

    await page.reload();
    await row(page, parcel).waitFor();
    expect(await page.locator("#feed > li").allInnerTexts()).toEqual(before);
    await page.locator("#devices > li").filter({ hasText: "Van 9" }).waitFor();
    expect((await device.send(["lookup", { parcel }])).text).toBe(`${parcel} is collected, says Van 9.`);
  });

  test("the page fits a phone, and earlier notifications are one tap away", async () => {
    const context = await browser.newContext({ viewport: { width: 375, height: 800 }, hasTouch: true });
    context.setDefaultTimeout(deadlineMs);
    const page = await context.newPage();
    await page.goto(app.url);
    await page.getByRole("button", { name: "Show earlier ones" }).waitFor();
    const all = await page.locator("#feed > li").count();
    expect(await page.locator("#feed > li:visible").count()).toBe(15);
    await page.getByRole("button", { name: "Show earlier ones" }).tap();
    expect(await page.locator("#feed > li:visible").count()).toBe(all);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(375);
  });
});

describe("event notifications, started wrongly", () => {
  test("the server says what is missing, and what is taken", async () => {
    const without = new Program([process.execPath, "server.ts"], { cwd: folder });
    expect(await without.ended()).toBe(2);
    expect(without.complaints).toContain("Set WebPubSubConnectionString");

    const app = await startTracker("webhook");
    const PORT = new URL(app.url).port;
    const WebPubSubConnectionString = app.server.connectionString;
    const DATA_DIR = `${app.server.dataDir}/example`;
    const taken = new Program([process.execPath, "server.ts"], {
      cwd: folder,
      env: { PORT, WebPubSubConnectionString, DATA_DIR },
    });
    expect(await taken.ended()).toBe(1);
    expect(taken.complaints).toBe(`Port ${PORT} is taken; set PORT to another.\n`);
    await app.stop();
  });

  test("a device says that the application cannot be reached", async () => {
    const device = new Program([process.execPath, "device.ts", "Van", `http://localhost:${await freePort()}`], {
      cwd: folder,
    });
    expect(await device.ended()).toBe(1);
    expect(device.complaints).toStartWith("Cannot connect: ");
  });
});
