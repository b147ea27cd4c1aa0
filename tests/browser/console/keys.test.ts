import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { connectJson } from "../../support/clients.ts";
import { hubApi } from "../../support/hub-api.ts";
import { freshName } from "../../support/names.ts";
import { type Server, startServer } from "../../support/server.ts";
import { launchChromium } from "../chromium.ts";
import { seriousIssues } from "./accessibility.ts";
import { consoleSettings, openConsole } from "./console-page.ts";

let server: Server;
let browser: Browser;
beforeAll(async () => {
  server = await startServer({ ...consoleSettings, hubs: { configured: {}, "*": {} } });
  browser = await launchChromium();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
});
afterAll(async () => {
  await browser.close();
  await server.stop();
});

/** How REST answers what is signed with this key. */
async function statusWith(key: string): Promise<number> {
  const hub = freshName("hub");
  return (await hubApi(server, hub)("POST", "/:send", { body: "x", signing: { signing: { key } } })).status;
}

const output = (page: Page, label: string) => page.getByLabel(label, { exact: true }).and(page.locator("output"));
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

describe("the keys", () => {
  test("are dots until they are shown, and can be hidden again", async () => {
    const { page, complaints, open } = await openConsole(browser, server);
    await open("keys");
    await button(page, "Show Primary key").click();
    expect(await output(page, "Primary key").innerText()).toBe(server.primaryKey);
    await button(page, "Show Secondary connection string").click();
    expect(await output(page, "Secondary connection string").innerText()).toBe(
      server.connectionString.replace(server.primaryKey, server.secondaryKey),
    );
    await button(page, "Show Primary key").click();
    expect(await page.locator("main").innerText()).not.toContain(server.primaryKey);
    expect(complaints).toEqual([]);
  });

  test("a key is copied without being shown", async () => {
    const { page, open } = await openConsole(browser, server);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await open("keys");
    await button(page, "Copy Primary connection string").click();
    await page.getByText("Copied: Primary connection string").waitFor();
    expect(await page.evaluate<string>("navigator.clipboard.readText()")).toBe(server.connectionString);
  });

  test("M-7 a key is regenerated only when that is confirmed, and the configured one can be restored", async () => {
    const { page, complaints, open } = await openConsole(browser, server);
    await open("keys");
    const regenerate = button(page, "Regenerate the primary key");
    await regenerate.click();
    await page.getByRole("dialog").getByText("Clients that are connected stay connected.").waitFor();
    await button(page, "Cancel").click();
    expect(await regenerate.evaluate((element) => element.ownerDocument.activeElement === element)).toBe(true);
    expect(await statusWith(server.primaryKey)).toBe(202);

    await regenerate.click();
    await button(page, "Regenerate").click();
    await page.getByText("The primary key is new").waitFor();
    await button(page, "Show Primary key").click();
    const key = await output(page, "Primary key").innerText();
    expect([await statusWith(server.primaryKey), await statusWith(key)]).toEqual([401, 202]);
    await page.getByText("The configuration has a primary key of its own, which has no effect").waitFor();

    await button(page, "Restore the configured primary key").click();
    await button(page, "Restore").click();
    await page.getByText("The primary key is the configured one again").waitFor();
    expect([await statusWith(server.primaryKey), await statusWith(key)]).toEqual([202, 401]);
    await page.getByText("The configuration has a primary key of its own").waitFor({ state: "detached" });
    expect(complaints).toEqual([]);
  });

  test("a secondary key that is not there is generated", async () => {
    const own = await startServer({ service: { ...consoleSettings.service, keys: { secondary: null } } });
    const { page, open } = await openConsole(browser, own);
    await open("keys");
    await button(page, "Generate the secondary key").click();
    await button(page, "Generate").click();
    await button(page, "Show Secondary connection string").click();
    expect(await output(page, "Secondary connection string").innerText()).toStartWith(`Endpoint=${own.endpoint};`);
    await own.stop();
  });
});

describe("the Client URL Generator", () => {
  test("makes a URL with the user, groups and roles of the form, and keeps nothing", async () => {
    const { page, complaints, open } = await openConsole(browser, server);
    const hub = freshName("hub");
    await open("keys");
    await page.getByLabel("Hub", { exact: true }).fill(hub);
    await page.getByLabel("User ID").fill("ann <b>");
    await page.getByLabel("Lifetime in minutes").fill("5");
    await page.getByLabel("Join these groups at once").fill("joined, at once");
    await page.getByLabel("Send to these groups").fill("joined, at once\nother");
    await page.getByLabel("Join and leave any group").check();
    await button(page, "Generate client URL").click();
    const url = new URL(await output(page, "Client URL").innerText());
    expect(`${url.protocol}//${url.host}${url.pathname}`).toBe(
      `${server.endpoint.replace("http:", "ws:")}/client/hubs/${hub}`,
    );
    const token = url.searchParams.get("access_token");
    expect(await output(page, "Token").innerText()).toBe(token ?? "");

    const client = await connectJson(server, { hub, token });
    expect(client.connected["userId"]).toBe("ann <b>");
    const send = (group: string) =>
      client.ask({ type: "sendToGroup", group, data: "x", dataType: "text", noEcho: true });
    expect(await send("other")).toMatchObject({ success: true });
    expect(await send("third")).toMatchObject({ success: false, error: { name: "Forbidden" } });
    expect(await client.ask({ type: "joinGroup", group: "third" })).toMatchObject({ success: true });
    const members = await hubApi(server, hub)("HEAD", `/groups/${encodeURIComponent("joined, at once")}`);
    expect(members.status).toBe(200);

    await page.getByLabel("User ID").fill("somebody else");
    await output(page, "Client URL").waitFor({ state: "detached" });
    await open("overview");
    await open("keys");
    await page.getByLabel("Hub", { exact: true }).waitFor();
    expect(await page.getByLabel("Hub", { exact: true }).inputValue()).toBe("");
    expect(await page.evaluate<string>("JSON.stringify([localStorage, sessionStorage])")).not.toContain(hub);
    expect(complaints).toEqual([]);
  });

  test("leads to the Playground with the same client, the token left out, and shows how to name the sub-protocol", async () => {
    const { page, open } = await openConsole(browser, server);
    await open("keys");
    await page.getByLabel("Hub", { exact: true }).fill("configured");
    await page.getByLabel("User ID").fill("ann");
    await page.getByLabel("Join these groups at once").fill("a,b\nc");
    await page.getByLabel("Send to any group").check();
    await page.getByLabel("Sub-protocol").selectOption("Protobuf, reliable");
    await button(page, "Generate client URL").click();
    expect(await output(page, "In JavaScript, with the URL as url").innerText()).toContain(
      '"protobuf.reliable.webpubsub.azure.v1"',
    );
    expect(await seriousIssues(page)).toEqual([]);
    await page.getByRole("link", { name: "Try it in Playground" }).click();
    await page.getByRole("heading", { name: "Playground" }).waitFor();
    const [, query = ""] = new URL(page.url()).hash.split("?", 2);
    const parameters = new URLSearchParams(query);
    expect([parameters.get("hub"), parameters.get("userId")]).toEqual(["configured", "ann"]);
    expect([parameters.getAll("group"), parameters.getAll("role")]).toEqual([["a,b", "c"], ["webpubsub.sendToGroup"]]);
    expect(query).not.toContain("token");
    expect(await page.getByLabel("Hub", { exact: true }).inputValue()).toBe("configured");
    expect(await page.getByLabel("Groups to start in").inputValue()).toBe("a,b\nc");
    expect(await page.getByLabel("Protocol").inputValue()).toBe("Protobuf, reliable");
  });

  test("suggests hubs with settings and hubs in use", async () => {
    const hub = freshName("used");
    const client = await connectJson(server, { hub });
    const { page, open } = await openConsole(browser, server);
    await open("keys");
    await page.locator(`datalist option[value="${hub.toLowerCase()}"]`).waitFor({ state: "attached" });
    const values = await page
      .locator("datalist option")
      .evaluateAll((all) => all.map((each) => each.getAttribute("value")));
    expect(values).toContain("configured");
    expect(values).not.toContain("*");
    client.socket.close();
  });

  test("says what is wrong in words", async () => {
    const { page, open } = await openConsole(browser, server);
    await open("keys");
    await page.getByLabel("Hub", { exact: true }).fill("not-a-hub");
    await button(page, "Generate client URL").click();
    expect(await page.getByRole("alert").innerText()).toMatch(/\w+ \w+/);
  });
});
