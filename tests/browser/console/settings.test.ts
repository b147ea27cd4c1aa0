import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Browser, Locator, Page } from "playwright-core";
import { connectJson } from "../../support/clients.ts";
import { type EventHandler, startEventHandler } from "../../support/event-handler.ts";
import { adminCall, adminSettings } from "../../support/metrics.ts";
import { freshName } from "../../support/names.ts";
import { type Server, startServer } from "../../support/server.ts";
import { launchChromium } from "../chromium.ts";
import { seriousIssues } from "./accessibility.ts";
import { type ConsolePage, openConsole } from "./console-page.ts";

const secret = "a-token-nobody-should-see";

let server: Server;
let handler: EventHandler;
let browser: Browser;
let opened: ConsolePage;
let page: Page;
beforeAll(async () => {
  handler = await startEventHandler();
  browser = await launchChromium();
});
beforeEach(async () => {
  server = await startServer({
    service: adminSettings,
    upstream: { retryDelaysSeconds: [] },
    hubs: {
      filed: {
        eventHandlers: [
          {
            ...handler.settings({ systemEvents: [], userEventPattern: "first" }),
            auth: { type: "Bearer", token: secret },
          },
          handler.settings({ systemEvents: ["connected"], path: "/second/{hub}" }),
        ],
      },
    },
  });
  opened = await openConsole(browser, server);
  page = opened.page;
  await opened.open("settings");
  await page.getByRole("heading", { name: "Hubs", exact: true }).waitFor();
});
afterEach(async () => {
  handler.answerValidation({ headers: [["WebHook-Allowed-Origin", "*"]] });
  for (const context of browser.contexts()) await context.close();
  await server.stop();
});
afterAll(async () => {
  await browser.close();
  await handler.stop();
});

const button = (name: string, within: Page | Locator = page) => within.getByRole("button", { name, exact: true });
const entry = (name: string) => page.getByRole("region", { name, exact: true });
const saved = () => page.getByRole("dialog").waitFor({ state: "detached" });

async function propertiesOf(hub: string): Promise<Record<string, unknown>> {
  const { text } = await adminCall(server, { path: `/admin/hubs/${encodeURIComponent(hub)}` });
  return (JSON.parse(text) as { readonly properties: Record<string, unknown> }).properties;
}

describe("a hub", () => {
  test("M-21 is added by clicks, and its event handler gets the next event", async () => {
    const hub = freshName("hub");
    await button("Add hub").click();
    await page.getByLabel("Hub name").fill(hub);
    await button("Add event handler").click();
    await page.getByLabel("URL template").fill(`${handler.url}/hooks/{event}`);
    await page.getByLabel("connected", { exact: true }).check();
    await page.getByLabel("Specify").check();
    await page.getByLabel("Names of user events").fill("one, two");
    await page.getByLabel("Anonymous clients").selectOption("Allow");
    await page.getByLabel("Allowed origins").fill("https://app.example.com\n");
    await button("Save").click();
    await saved();
    expect(await propertiesOf(hub)).toEqual({
      anonymousConnectPolicy: "allow",
      webSocketKeepAliveIntervalInSeconds: 20,
      allowedOrigins: ["https://app.example.com"],
      eventHandlers: [
        {
          urlTemplate: `${handler.url}/hooks/{event}`,
          userEventPattern: "one, two",
          systemEvents: ["connected"],
          auth: { type: "None" },
        },
      ],
      eventListeners: [],
    });
    await page.getByRole("listitem").filter({ hasText: hub }).getByText("Set here").waitFor();
    const client = await connectJson(server, { hub });
    expect((await handler.hub(hub).next("connected")).url).toBe("/hooks/connected");
    client.socket.close();
    expect(opened.complaints).toEqual([]);
  });

  test("is added with the keyboard alone, which never loses its place", async () => {
    const hub = freshName("hub");
    const has = (target: Locator) => target.evaluate((element) => element === document.activeElement);
    const reach = async (target: Locator): Promise<void> => {
      for (let presses = 0; presses < 40; presses += 1) {
        await page.keyboard.press("Tab");
        if (await has(target)) return;
      }
      throw new Error("the Tab key does not lead there");
    };
    await reach(button("Add hub"));
    await page.keyboard.press("Enter");
    await reach(page.getByLabel("Hub name"));
    await page.keyboard.type(hub);
    await reach(button("Add event handler"));
    await page.keyboard.press("Enter");
    await page.getByLabel("URL template").waitFor();
    await reach(page.getByLabel("URL template"));
    await page.keyboard.type(`${handler.url}/hooks/{event}`);
    await reach(page.getByLabel("connected", { exact: true }));
    await page.keyboard.press("Space");
    await reach(button("Test"));
    await page.keyboard.press("Enter");
    await page.getByText("Works", { exact: true }).waitFor();
    expect(await has(button("Test"))).toBe(true);
    await reach(button("Save"));
    await page.keyboard.press("Enter");
    await saved();
    expect(await has(button("Add hub"))).toBe(true);
    expect(await propertiesOf(hub)).toMatchObject({ eventHandlers: [{ systemEvents: ["connected"] }] });
  });

  test("has its handlers moved and removed; secrets stay, unseen", async () => {
    await button("Edit filed").click();
    expect(await page.content()).not.toContain(secret);
    await button("Move event handler 1 down").click();
    expect(await entry("Event handler 2").getByLabel("Token").inputValue()).toBe("(secret)");
    await button("Save").click();
    await saved();
    const shown = (await propertiesOf("filed"))["eventHandlers"] as readonly { readonly urlTemplate: string }[];
    expect(shown.map(({ urlTemplate }) => urlTemplate)).toEqual([
      `${handler.url}/second/{hub}`,
      `${handler.url}/hooks/{hub}/{event}`,
    ]);
    await button("Edit filed").click();
    await button("Remove event handler 1").click();
    await button("Save").click();
    await saved();
    const client = await connectJson(server, { hub: "filed" });
    client.send({ type: "event", event: "first", dataType: "text", data: "x" });
    expect((await handler.hub("filed").next("first")).header("authorization")).toBe(`Bearer ${secret}`);
  });

  test("of the configuration is changed here, deleted here and restored", async () => {
    const row = page.getByRole("listitem").filter({ hasText: "filed" }).first();
    await row.getByText("From the configuration").waitFor();
    await button("Edit filed").click();
    await page.getByLabel("WebSocket keep-alive in seconds").fill("7");
    await button("Save").click();
    await saved();
    await row.getByText("keep-alive 7 s").waitFor();
    await button("Delete filed").click();
    await button("Delete", page.getByRole("dialog")).click();
    await row.getByText("Deleted here").waitFor();
    await button("Restore filed").click();
    await button("Restore", page.getByRole("dialog")).click();
    await row.getByText("From the configuration").waitFor();
    await row.getByText("keep-alive 20 s").waitFor();
    expect(opened.complaints).toEqual([]);
  });

  test("the entry for every other hub is set and deleted", async () => {
    await button("Edit every other hub (*)").click();
    await page.getByLabel("Anonymous clients").selectOption("Allow");
    await button("Save").click();
    await saved();
    await page.getByText("anonymous clients allowed").waitFor();
    expect(await propertiesOf("*")).toMatchObject({ anonymousConnectPolicy: "allow" });
    await button("Delete every other hub (*)").click();
    await button("Delete", page.getByRole("dialog")).click();
    await page.getByText("Built-in settings").waitFor();
  });

  test("every kind of event listener has a form, and comes back as it was saved", async () => {
    const hub = freshName("hub");
    await button("Add hub").click();
    await page.getByLabel("Hub name").fill(hub);
    await button("Add event listener").click();
    const first = entry("Event listener 1");
    await first.getByLabel("Send to").selectOption("Kafka");
    await first.getByLabel("Brokers", { exact: true }).fill("kafka-1:9092\nkafka-2:9092");
    await first.getByLabel("Topic").fill("events.{hub}");
    await first.getByLabel("SASL mechanism").selectOption("plain");
    await first.getByLabel("SASL user name").fill("me");
    await first.getByLabel("SASL password").fill("pass");
    await button("Add event listener").click();
    const second = entry("Event listener 2");
    await second.getByLabel("Send to").selectOption("HTTP");
    await second.getByLabel("URL template").fill("https://example.com/{hub}");
    await second.getByLabel("disconnected").uncheck();
    await button("Save").click();
    await saved();
    expect((await propertiesOf(hub))["eventListeners"]).toEqual([
      {
        filter: { type: "EventName", systemEvents: ["connected", "disconnected"], userEventPattern: "*" },
        endpoint: {
          type: "Kafka",
          brokers: ["kafka-1:9092", "kafka-2:9092"],
          topic: "events.{hub}",
          sasl: { mechanism: "plain", username: "me", password: "(secret)" },
        },
      },
      {
        filter: { type: "EventName", systemEvents: ["connected"], userEventPattern: "*" },
        endpoint: { type: "HttpBatch", url: "https://example.com/{hub}" },
      },
    ]);
    await button(`Edit ${hub}`).click();
    expect(await entry("Event listener 1").getByLabel("Brokers", { exact: true }).inputValue()).toBe(
      "kafka-1:9092\nkafka-2:9092",
    );
  });
});

describe("the editor", () => {
  test("M-19 shows what is wrong at the field it is about", async () => {
    await button("Add hub").click();
    await button("Save").click();
    await page.getByText("Give the name of the hub.").waitFor();
    await page.getByLabel("Hub name").fill("FILED");
    await button("Save").click();
    await page.getByText("This hub has settings already.").waitFor();
    await page.getByLabel("Hub name").fill("not-a-hub");
    await button("Add event handler").click();
    await page.getByLabel("URL template").fill("https://example.com/{what}");
    await page.getByLabel("WebSocket keep-alive in seconds").fill("121");
    await button("Save").click();
    for (const [label, words] of [
      ["URL template", "has the unknown placeholder {what}"],
      ["WebSocket keep-alive in seconds", "must be a whole number, 1 to 120"],
    ] as const) {
      const field = page.locator(".field").filter({ has: page.getByLabel(label) });
      await field.getByText(words).waitFor();
      expect(await page.getByLabel(label).getAttribute("aria-invalid")).toBe("true");
    }
    await page.getByLabel("URL template").fill("https://example.com/{event}");
    await page.getByLabel("WebSocket keep-alive in seconds").fill("120");
    await button("Save").click();
    await page
      .locator(".field")
      .filter({ has: page.getByLabel("Hub name") })
      .getByText("is not a hub name")
      .waitFor();
  });

  test("a secret does not follow its handler to another address", async () => {
    await button("Edit filed").click();
    await entry("Event handler 1").getByLabel("URL template").fill("https://elsewhere.example.com/");
    await button("Save").click();
    await page.getByRole("alert").getByText("has a masked secret").waitFor();
  });

  test.each([
    [1280, 900],
    [390, 844],
  ])("has nothing serious for axe, and nothing wider than the window, at %d pixels", async (width, height) => {
    await page.setViewportSize({ width, height });
    await button("Edit filed").click();
    await button("Add event listener").click();
    await button("Test", entry("Event handler 1")).click();
    await page.getByText("Works", { exact: true }).waitFor();
    await page.getByLabel("WebSocket keep-alive in seconds").fill("0");
    await button("Save").click();
    await page.getByText("must be a whole number, 1 to 120").waitFor();
    expect(await seriousIssues(page)).toEqual([]);
    expect(await page.getByRole("dialog").evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(
      0,
    );
  });

  test("asks before changes are lost, however it is left", async () => {
    await button("Edit filed").click();
    await page.keyboard.press("Escape");
    await saved();
    await button("Edit filed").click();
    const seconds = page.getByLabel("WebSocket keep-alive in seconds");
    await seconds.fill("9");
    for (const leave of [() => page.keyboard.press("Escape"), () => button("Close").first().click()]) {
      await leave();
      await button("Cancel", page.getByRole("dialog", { name: "Leave without saving?" })).click();
      expect(await seconds.inputValue()).toBe("9");
    }
    await button("Cancel").click();
    await button("Discard changes").click();
    await saved();
    expect(await propertiesOf("filed")).toMatchObject({ webSocketKeepAliveIntervalInSeconds: 20 });
  });
});

describe("testing an event handler", () => {
  const test1 = async (): Promise<Locator> => {
    const first = entry("Event handler 1");
    await button("Test", first).click();
    return first;
  };

  test("E-27 shows that it accepts events, and its exact answer, as text", async () => {
    handler.answerValidation({
      headers: [
        ["WebHook-Allowed-Origin", "*"],
        ["X-Mine", "<i>mine</i>"],
      ],
      body: "<b>welcome</b>",
    });
    await button("Edit filed").click();
    const first = await test1();
    await first.getByText("Works", { exact: true }).waitFor();
    const text = await first.getByRole("status").innerText();
    expect(text).toContain("Answer: 200");
    expect(text).toMatch(/x-mine: <i>mine<\/i>/i);
    expect(text).toContain("<b>welcome</b>");
    expect(await page.content()).not.toContain(secret);
    expect(opened.complaints).toEqual([]);
  });

  test("E-27 shows a refusal with its status, and forgets it when the handler is changed", async () => {
    handler.answerValidation({ status: 401, body: "who are you" });
    await button("Edit filed").click();
    const first = await test1();
    await first.getByText("Refused", { exact: true }).waitFor();
    await first.getByText("Answer: 401").waitFor();
    await first.getByText("who are you").waitFor();
    await first.getByLabel("URL template").fill("http://127.0.0.1:1/");
    await first.getByText("Refused", { exact: true }).waitFor({ state: "detached" });
  });

  test("shows a web server that is not there, for a hub that is not saved yet", async () => {
    await button("Add hub").click();
    await button("Add event handler").click();
    await page.getByText("Give the name of the hub to test this.").waitFor();
    await page.getByLabel("Hub name").fill(freshName("hub"));
    await page.getByLabel("URL template").fill("http://127.0.0.1:1/");
    const first = await test1();
    await first.getByText("Not reachable", { exact: true }).waitFor();
    await first.getByText("There was no answer.").waitFor();
  });
});
