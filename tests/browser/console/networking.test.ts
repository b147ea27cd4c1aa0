import { afterAll, afterEach, beforeEach, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { hubApi } from "../../support/hub-api.ts";
import { freshName } from "../../support/names.ts";
import { type Server, startServer } from "../../support/server.ts";
import { launchChromium } from "../chromium.ts";
import { seriousIssues } from "./accessibility.ts";
import { type ConsolePage, consoleSettings, openConsole } from "./console-page.ts";

let server: Server;
let browser: Browser;
let opened: ConsolePage;
let page: Page;
beforeEach(async () => {
  server = await startServer({
    ...consoleSettings,
    properties: { networkACLs: { ipRules: [{ value: "198.51.100.7", action: "Deny" }] } },
  });
  browser ??= await launchChromium();
  opened = await openConsole(browser, server);
  page = opened.page;
  await opened.open("networking");
  await page.getByRole("heading", { name: "IP rules" }).waitFor();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await server.stop();
});
afterAll(async () => await browser.close());

const button = (name: string) => page.getByRole("button", { name, exact: true });
const restStatus = async (): Promise<number> =>
  (await hubApi(server, freshName("hub"))("POST", "/:send", { body: "x" })).status;

test("M-27 disabling public access asks first, says who is locked out, and is taken back by restoring", async () => {
  await page.getByLabel("Disabled").check();
  await page.getByText("This change locks out part of the public network.").waitFor();
  await button("Save").click();
  await page
    .getByRole("dialog")
    .getByText("Clients, applications that use the REST API, and tunnels are refused.")
    .waitFor();
  await button("Cancel").click();
  expect(await restStatus()).toBe(202);
  await button("Save").click();
  await button("Save these rules").click();
  await page.getByText("The network rules are saved").waitFor();
  expect(await restStatus()).toBe(403);
  await button("Restore").click();
  await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
  await page.getByText("The configured network rules count again").waitFor();
  expect(await restStatus()).toBe(202);
  expect(await page.getByLabel("Enabled").isChecked()).toBe(true);
  expect(opened.complaints).toEqual([]);
});

test("M-31 a wrong IP rule is named at its row with the service's words, and the right one counts", async () => {
  await button("Add IP rule").click();
  const second = page.getByLabel("IP rule 2: address or range");
  await second.fill("10.0.0.300");
  await button("Save").click();
  await page.getByText("must be an IP address or a range such as 203.0.113.0/24").waitFor();
  expect(await second.getAttribute("aria-invalid")).toBe("true");
  expect(await page.getByLabel("IP rule 1: address or range").getAttribute("aria-invalid")).toBe("false");
  expect(await seriousIssues(page)).toEqual([]);
  await second.fill("127.0.0.0/8");
  await page.getByLabel("IP rule 2: action").selectOption("Deny");
  await button("Save").click();
  await button("Save these rules").click();
  await page.getByText("The network rules are saved").waitFor();
  expect(await restStatus()).toBe(403);
  await button("Remove IP rule 2").click();
  await button("Save").click();
  await second.waitFor({ state: "detached" });
  await page.getByText("Everything is saved.").waitFor();
  expect(await restStatus()).toBe(202);
  expect(await page.getByLabel("IP rule 1: address or range").inputValue()).toBe("198.51.100.7");
});

test("M-28 one kind of request is refused, the others are not; discarding brings back what is saved", async () => {
  const rest = page.getByLabel("Public network: REST API");
  await rest.selectOption("Deny");
  await button("Discard").click();
  expect(await rest.inputValue()).toBe("none");
  await rest.selectOption("Deny");
  await page.getByRole("listitem").filter({ hasText: "REST API" }).getByText("Refused").waitFor();
  await button("Save").click();
  await button("Save these rules").click();
  await page.getByText("The network rules are saved").waitFor();
  expect(await restStatus()).toBe(403);
});

test("M-30 a private endpoint is added, saved and removed", async () => {
  await page.getByLabel("Name of a listener").fill("lan <i>");
  await button("Add private endpoint").click();
  await page.getByLabel("Private endpoint lan <i>: Live trace").selectOption("Not listed");
  await button("Save").click();
  await page.getByText("The network rules are saved").waitFor();
  await page.reload();
  expect(await page.getByLabel("Private endpoint lan <i>: Live trace").inputValue()).toBe("none");
  expect(await page.getByLabel("Private endpoint lan <i>: REST API").inputValue()).toBe("allow");
  await button("Remove private endpoint lan <i>").click();
  await button("Save").click();
  await page.getByText("The network rules are saved").waitFor();
  expect(await page.getByLabel("Private endpoint lan <i>: REST API").count()).toBe(0);
  expect(opened.complaints).toEqual([]);
});
