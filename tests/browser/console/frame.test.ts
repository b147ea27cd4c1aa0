import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { connectJson } from "../../support/clients.ts";
import { freePort } from "../../support/free-port.ts";
import { type Server, startServer } from "../../support/server.ts";
import { launchChromium } from "../chromium.ts";
import { seriousIssues } from "./accessibility.ts";
import { consoleLink, consoleSettings, openConsole } from "./console-page.ts";

let server: Server;
let browser: Browser;
beforeAll(async () => {
  server = await startServer({
    ...consoleSettings,
    properties: { liveTraceConfiguration: { enabled: true } },
    hubs: { chat: { eventHandlers: [{ urlTemplate: "https://app.example.com/{event}", userEventPattern: "*" }] } },
  });
  // So that the lists have something to show.
  await connectJson(server, { hub: "chat", userId: "ann", groups: ["room"], roles: ["webpubsub.sendToGroup"] });
  browser = await launchChromium();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
});
afterAll(async () => {
  await browser.close();
  await server.stop();
});

describe("signing in", () => {
  test("the printed link signs in and leaves nothing of itself in the address bar", async () => {
    const { page, complaints } = await openConsole(browser, server);
    expect(page.url()).toEndWith("/#/overview");
    await page.reload();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    expect(complaints).toEqual([]);
  });

  test("a wrong token is refused in words, the administration token is accepted", async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(new URL("/", consoleLink(server)).href);
    const token = page.getByLabel("Administration token");
    await token.fill("not-the-token-of-this-service");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("This token is not the one of this service.").waitFor();
    await token.fill(readFileSync(join(server.dataDir, "admin-token"), "utf8"));
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
  });

  test("a link of another time says that it is not good any more, and lets in by token", async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(new URL("/#signin=of-another-time", consoleLink(server)).href);
    await page.getByText("This token is not the one of this service.").waitFor();
    expect(page.url()).not.toContain("signin");
  });

  test("signing out, here or in another tab, leads back to the way in", async () => {
    const { page } = await openConsole(browser, server);
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.getByRole("heading", { name: "Overview" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await other.getByText("The session is over. Sign in again.").waitFor();
  });
});

const pages = [
  ["overview", "Overview"],
  ["keys", "Keys"],
  ["settings", "Settings"],
  ["networking", "Networking"],
  ["connections", "Connections"],
  ["groups", "Groups"],
  ["users", "Users"],
  ["live-trace", "Live trace"],
  ["playground", "Playground"],
  ["metrics", "Metrics"],
] as const;

describe.each([
  ["a wide window", { width: 1280, height: 900, scheme: "light" }],
  ["a phone", { width: 390, height: 844, scheme: "dark" }],
] as const)("every page in %s", (_name, { width, height, scheme }) => {
  test.each(pages)(
    "%s: no complaint of the browser, nothing serious for axe, nothing wider than the window",
    async (id, title) => {
      const { page, complaints, open } = await openConsole(browser, server, { width, height });
      await page.emulateMedia({ colorScheme: scheme });
      await open(id);
      await page.getByRole("heading", { name: title, exact: true }).waitFor();
      await page.waitForLoadState("networkidle");
      expect(await seriousIssues(page)).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
      expect(complaints).toEqual([]);
    },
  );
});

test("the menu of a phone opens, leads on and closes; every page is in it", async () => {
  const { page } = await openConsole(browser, server, { width: 390, height: 844 });
  await page.getByRole("button", { name: "Menu" }).click();
  const links = page.getByRole("navigation", { name: "Pages" }).getByRole("link");
  expect((await links.allInnerTexts()).toSorted()).toEqual(pages.map(([, title]) => title).toSorted());
  await links.filter({ hasText: "Metrics" }).click();
  await page.getByRole("heading", { name: "Metrics" }).waitFor();
  expect(await page.getByRole("navigation", { name: "Pages" }).isVisible()).toBe(false);
});

test("a service that is gone is said on every page; when it is back, the way in says why one has to sign in", async () => {
  const settings = { service: { adminListen: { url: `http://127.0.0.1:${await freePort()}` } } };
  const own = await startServer(settings);
  const { page } = await openConsole(browser, own);
  await own.stop();
  await page.getByRole("alert").getByText("The service does not answer.").waitFor();
  const again = await startServer(settings);
  await page.getByText("The session is over. Sign in again.").waitFor();
  await again.stop();
});
