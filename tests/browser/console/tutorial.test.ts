import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { type EventHandler, startEventHandler } from "../../support/event-handler.ts";
import { type Server, startServer } from "../../support/server.ts";
import { launchChromium } from "../chromium.ts";
import { consoleSettings, openConsole } from "./console-page.ts";

let server: Server;
let handler: EventHandler;
let browser: Browser;
beforeAll(async () => {
  handler = await startEventHandler();
  server = await startServer(consoleSettings);
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
  await server.stop();
  await handler.stop();
});

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

test("the setup of the chat tutorial, by clicks alone: hub, handler, client URL, message, its webhook in live trace", async () => {
  handler.hub("chat").answer("message", { headers: [["Content-Type", "text/plain"]], body: "heard <i>you</i>" });
  const { page, complaints, open } = await openConsole(browser, server);

  await open("settings");
  await button(page, "Add hub").click();
  await page.getByLabel("Hub name").fill("chat");
  await button(page, "Add event handler").click();
  await page.getByLabel("URL template").fill(`${handler.url}/hooks/{hub}/{event}`);
  await page.getByLabel("All", { exact: true }).check();
  await page.getByLabel("connected", { exact: true }).check();
  await button(page, "Test").click();
  await page.getByRole("dialog").getByText("WebHook-Allowed-Origin").first().waitFor();
  await button(page, "Save").click();
  await page.getByRole("dialog").waitFor({ state: "detached" });

  await open("live-trace");
  await button(page, "Turn on live trace").click();
  await button(page, "Capture").click();
  await page.getByText("capturing", { exact: true }).waitFor();
  await page.getByLabel("Show what is exchanged with event handlers").check();

  // The capture lives with its page, so the client is in a tab of its own.
  const clients = await page.context().newPage();
  await clients.goto(new URL("/#/keys", page.url()).href);
  await clients.getByLabel("Hub", { exact: true }).fill("chat");
  await clients.getByLabel("User ID").fill("<b>ann</b>");
  await clients.getByRole("button", { name: "Generate client URL" }).click();
  await clients.getByRole("link", { name: "Try it in Playground" }).click();
  await button(clients, "Connect").click();
  const client = clients.getByRole("region", { name: "Client 1" });
  await client.getByText("connected", { exact: true }).waitFor();
  await client.getByLabel("Do", { exact: true }).selectOption("Send event");
  await client.getByLabel("Content").fill("hello");
  await client.getByRole("button", { name: "Send event" }).click();
  await client.getByText('"data":"heard <i>you</i>"').waitFor();
  expect((await handler.hub("chat").next("connected")).url).toBe("/hooks/chat/connected");

  const received = page.getByRole("button", { name: "MessageReceived" });
  await received.click();
  const way = page.getByRole("region", { name: "The way of this message" });
  await way.getByText("written").waitFor();
  expect(await way.getByRole("cell").first().innerText()).toBe("<b>ann</b>");
  await way.getByRole("button", { name: "EventHandlerInvoked" }).click();
  await page.getByRole("region", { name: "Request body" }).getByText("hello").waitFor();
  await page.getByRole("region", { name: "Response body" }).getByText("heard <i>you</i>").waitFor();
  const headers = await page.getByRole("region", { name: "Request headers" }).innerText();
  expect(headers).toMatch(/ce-signature: (?!sha256)/i);
  expect(complaints).toEqual([]);
});
