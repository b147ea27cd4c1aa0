import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import { connectJson, connectSimple } from "../../support/clients.ts";
import { freshName } from "../../support/names.ts";
import { type Server, startServer } from "../../support/server.ts";
import { launchChromium } from "../chromium.ts";
import { consoleSettings, openConsole } from "./console-page.ts";

let server: Server;
let browser: Browser;
beforeAll(async () => {
  server = await startServer(consoleSettings);
  browser = await launchChromium();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
});
afterAll(async () => {
  await browser.close();
  await server.stop();
});

const roles = ["webpubsub.sendToGroup.room", "webpubsub.joinLeaveGroup"];

test("H-58 user ids and groups with HTML in them are shown as text, in every list and in the sheet", async () => {
  const hub = freshName("html");
  const [userId, group] = ["<img src=x onerror=alert(1)>", "<script>alert(2)</script>"];
  const client = await connectJson(server, { hub, userId, groups: [group] });
  const { page, complaints, open } = await openConsole(browser, server);
  const dialogs: string[] = [];
  page.on("dialog", (dialog) => dialogs.push(dialog.message()));
  await open(`groups?hub=${hub}`);
  await page.getByRole("link", { name: group, exact: true }).waitFor();
  await open(`users?hub=${hub}`);
  await page.getByRole("link", { name: userId, exact: true }).click();
  await page.getByText(`Connections of user ${userId}`).waitFor();
  await page.getByRole("button", { name: client.connectionId }).click();
  await page.getByRole("dialog").getByText(group).waitFor();
  await page.getByRole("dialog").getByText(userId).first().waitFor();
  expect(await page.locator("img[src=x]").count()).toBe(0);
  expect({ dialogs, complaints }).toEqual({ dialogs: [], complaints: [] });
});

test("a connection is found, joined to a group, granted a permission, sent to, and closed", async () => {
  const hub = freshName("steer");
  const client = await connectJson(server, { hub, userId: "ann", roles });
  await connectJson(server, { hub, userId: "bob" });
  const { page, open } = await openConsole(browser, server);
  await open(`connections?hub=${hub}`);
  await page.getByText("2 connections").waitFor();
  await page.getByLabel("Search").fill("ANN");
  await page.getByText("1 connection", { exact: true }).waitFor();
  await page.getByRole("button", { name: client.connectionId }).click();
  const sheet = page.getByRole("dialog");
  for (const role of roles) await sheet.getByText(role, { exact: true }).waitFor();
  await sheet.getByLabel("Group", { exact: true }).fill("a room/1");
  await sheet.getByRole("button", { name: "Add to group" }).click();
  await sheet.getByRole("button", { name: "Remove from group a room/1" }).waitFor();
  await sheet.getByLabel("For group").fill("other");
  await sheet.getByRole("button", { name: "Grant" }).click();
  await sheet.getByText("webpubsub.sendToGroup.other", { exact: true }).waitFor();
  // In the top layer, where it came after the dialog.
  await page.locator(".toasts:popover-open").getByText("Granted sendToGroup for other.").waitFor();
  expect(await client.ask({ type: "sendToGroup", group: "other", dataType: "text", data: "x" })).toEqual({
    success: true,
  });
  await sheet.getByLabel("Kind of message").selectOption("JSON");
  await sheet.getByLabel("Message", { exact: true }).fill("{");
  await sheet.getByRole("button", { name: "Send", exact: true }).click();
  await sheet.getByText("This is not JSON").waitFor();
  await sheet.getByLabel("Message", { exact: true }).fill('{"a":1}');
  await sheet.getByRole("button", { name: "Send", exact: true }).click();
  expect(await client.next()).toMatchObject({ type: "message", from: "server", data: { a: 1 } });
  await sheet.getByRole("button", { name: "Remove from group a room/1" }).click();
  await sheet.getByText("In no group.").waitFor();
  await sheet.getByRole("button", { name: "Close connection" }).click();
  await page
    .getByRole("dialog", { name: "Close this connection?" })
    .getByRole("button", { name: "Close connection" })
    .click();
  expect(await client.next()).toMatchObject({
    type: "system",
    event: "disconnected",
    message: "Application server closed the connection. Reason: closed by the operator",
  });
  await sheet.waitFor({ state: "detached" });
  await page.getByText("The connection was closed.").waitFor();
  await page.getByText("No connection fits").waitFor();
});

test("a permission that is revoked for a group is shown as revoked, beside the role for every group", async () => {
  const hub = freshName("revoke");
  const client = await connectJson(server, { hub, roles: ["webpubsub.sendToGroup"] });
  const { page, open } = await openConsole(browser, server);
  await open(`connections?hub=${hub}&open=${encodeURIComponent(`${hub}/${client.connectionId}`)}`);
  const permissions = page.getByRole("region", { name: "Permissions" });
  await permissions.getByLabel("For group").fill("secret");
  await permissions.getByRole("button", { name: "Revoke" }).click();
  await permissions.getByText("webpubsub.sendToGroup.secret", { exact: true }).waitFor();
  const send = (group: string) => client.ask({ type: "sendToGroup", group, dataType: "text", data: "x" });
  expect(await send("secret")).toMatchObject({ success: false, error: { name: "Forbidden" } });
  expect(await send("other")).toMatchObject({ success: true });
});

test("what a client was refused is in its sheet", async () => {
  const hub = freshName("refused");
  const client = await connectJson(server, { hub });
  await client.ask({ type: "joinGroup", group: "room" });
  const { page, open } = await openConsole(browser, server);
  await open(`connections?hub=${hub}`);
  await page.getByRole("button", { name: client.connectionId }).click();
  await page.getByRole("region", { name: "Last errors" }).getByText("Forbidden").waitFor();
});

test("a long list has few rows in the page, and every connection once when it is scrolled to the end", async () => {
  const hub = freshName("many");
  const count = 1100;
  for (let opened = 0; opened < count; opened += 100) {
    await Promise.all(Array.from({ length: 100 }, () => connectSimple(server, { hub })));
  }
  const { page, open } = await openConsole(browser, server);
  await open(`connections?hub=${hub}`);
  await page.getByText("500 of 1,100 connections").waitFor();
  const list = page.getByRole("table", { name: "Connections" });
  const seen = new Set<string>();
  for (;;) {
    const ids = await list.getByRole("button").allInnerTexts();
    expect(ids.length).toBeLessThan(60);
    for (const id of ids) seen.add(id);
    const isAtEnd = await list.evaluate((box) => {
      const before = box.scrollTop;
      box.scrollTop += 400;
      return box.scrollTop === before;
    });
    if (isAtEnd) {
      if (seen.size >= count) break;
      // The next page is on its way.
      const height = await list.evaluate((box) => box.scrollHeight);
      await page.waitForFunction(`document.querySelector(".list").scrollHeight > ${height}`);
    }
    await page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))");
  }
  expect(seen.size).toBe(count);
  // Far down the list no longer renews itself, but another search is answered at once.
  const asked = page.waitForRequest(/search=nobody/, { timeout: 2000 });
  await page.getByLabel("Search").fill("nobody");
  await asked;
  await page.getByText("No connection fits").waitFor();
});

test("the playground drops a reliable client and recovers it without losing a message", async () => {
  const hub = freshName("drop");
  const { page, open, complaints } = await openConsole(browser, server);
  await open("playground");
  await page.getByLabel("Hub").fill(hub);
  await page.getByLabel("Groups to start in").fill("room");
  await page.getByLabel("Protocol").selectOption("JSON, reliable");
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  const client = page.getByRole("region", { name: "Client 1" });
  await client.getByText("connected", { exact: true }).waitFor();
  await client.getByRole("button", { name: "Drop the connection" }).click();
  await client.getByText("not connected", { exact: true }).waitFor();
  const sent = await server.rest({ method: "POST", path: `/api/hubs/${hub}/groups/room/:send`, body: "while away" });
  expect(sent.status).toBe(202);
  await client.getByRole("button", { name: "Recover" }).click();
  await client.getByText('"data":"while away"').waitFor();
  expect(complaints).toEqual([]);
});

test("every protocol of the playground connects, joins and gets what another one sends", async () => {
  const hub = freshName("protocols");
  const { page, open, complaints } = await openConsole(browser, server);
  await open("playground");
  await page.getByLabel("Hub").fill(hub);
  await page.getByLabel("Groups to start in").fill("room");
  const titles = ["JSON", "JSON, reliable", "Protobuf", "Protobuf, reliable", "Simple WebSocket"];
  for (const title of titles) {
    await page.getByLabel("Protocol").selectOption(title);
    await page.getByRole("button", { name: "Connect", exact: true }).click();
  }
  await page
    .getByText("connected", { exact: true })
    .nth(titles.length - 1)
    .waitFor();
  const sender = page.getByRole("region", { name: "Client 3" });
  await sender.getByLabel("Do", { exact: true }).selectOption("Send to group");
  await sender.getByLabel("Content").fill("to <all>");
  await sender.getByRole("button", { name: "Send to group" }).click();
  for (const number of [1, 2, 3, 4, 5]) {
    const frames = page
      .getByRole("region", { name: `Client ${number}` })
      .getByRole("log")
      .locator("li.in");
    await frames.filter({ hasText: "to <all>" }).waitFor();
  }
  await sender.locator("li.in").filter({ hasText: '"success":true' }).waitFor();
  expect(complaints).toEqual([]);
});
