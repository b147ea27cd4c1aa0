import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { connectJson } from "../../support/clients.ts";
import { type Server, startServer } from "../../support/server.ts";
import { launchChromium } from "../chromium.ts";
import { consoleSettings, openConsole } from "./console-page.ts";

let server: Server;
let browser: Browser;
beforeAll(async () => {
  server = await startServer({ ...consoleSettings, properties: { liveTraceConfiguration: { enabled: true } } });
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
  await server.stop();
});

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

const connectAs = (userId: string) => connectJson(server, { hub: "chat", userId });

test("capture, pause, clear, go on, stop and capture again: every line is there once", async () => {
  const { page, complaints, open } = await openConsole(browser, server);
  const linesOf = (user: string) => page.getByRole("row").filter({ hasText: user });
  await open("live-trace");
  await button(page, "Capture").click();
  await page.getByText("capturing", { exact: true }).waitFor();
  await connectAs("first");
  await linesOf("first").waitFor();

  await button(page, "Pause").click();
  await button(page, "Clear").click();
  await page.getByRole("heading", { name: "Paused" }).waitFor();
  await connectAs("second");
  await button(page, "Go on").click();
  await linesOf("second").waitFor();
  expect(await linesOf("first").count()).toBe(0);

  await button(page, "Stop").click();
  await page.getByText("not capturing").waitFor();
  await button(page, "Capture").click();
  await page.getByText("capturing", { exact: true }).waitFor();
  await connectAs("third");
  await linesOf("third").waitFor();
  expect([await linesOf("second").count(), await linesOf("third").count()]).toEqual([1, 1]);
  // What is in a row is that of the row that is opened.
  await linesOf("third").getByRole("button").click();
  await page.getByRole("dialog").getByText("third").waitFor();
  expect(complaints).toEqual([]);
});

test("the way of a message stays in the sheet when the page has forgotten its lines", async () => {
  const { page, open } = await openConsole(browser, server);
  const sender = await connectJson(server, {
    hub: "way",
    userId: "sender",
    roles: ["webpubsub.sendToGroup", "webpubsub.joinLeaveGroup"],
  });
  await sender.ask({ type: "joinGroup", group: "room" });
  await open("live-trace");
  await button(page, "Capture").click();
  await page.getByText("capturing", { exact: true }).waitFor();
  sender.send({ type: "sendToGroup", group: "room", dataType: "text", data: "x" });
  await button(page, "MessagePublished").click();
  const way = page.getByRole("region", { name: "The way of this message" });
  await way.getByText("written").waitFor();
  // Clears as 10,000 lines after it would, behind the sheet.
  await page.evaluate(`[...document.querySelectorAll("button")].find((one) => one.textContent === "Clear").click()`);
  await page.getByText("0 lines").waitFor();
  expect(await way.getByRole("button").allInnerTexts()).toEqual(["MessageReceived", "MessagePublished", "sender"]);
});

test("stopping before the capture has begun leaves nothing open", async () => {
  const { page, open } = await openConsole(browser, server);
  const sockets: string[] = [];
  page.on("websocket", (socket) => sockets.push(socket.url()));
  await open("live-trace");
  let letGo = (): void => undefined;
  await page.route("**/admin/liveTrace/token", async (route) => {
    await new Promise<void>((resolve) => (letGo = resolve));
    await route.continue();
  });
  const asked = page.waitForRequest("**/admin/liveTrace/token");
  await button(page, "Capture").click();
  await asked;
  await button(page, "Stop").click();
  const answered = page.waitForResponse("**/admin/liveTrace/token");
  letGo();
  await (await answered).finished();
  await page.unroute("**/admin/liveTrace/token");
  await button(page, "Capture").click();
  await page.getByText("capturing", { exact: true }).waitFor();
  expect(sockets.length).toBe(1);
});
