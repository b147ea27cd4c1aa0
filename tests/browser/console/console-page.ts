import type { Browser, Page } from "playwright-core";
import type { Server } from "../../support/server.ts";

/** What a server needs to serve the console in a test. */
export const consoleSettings = { service: { adminListen: { url: "http://127.0.0.1:0" } } };

const deadlineMs = 30_000;

export interface ConsolePage {
  readonly page: Page;
  /** What the browser complained of so far. */
  readonly complaints: readonly string[];
  /** Goes to a page of the console by its name in the address bar. */
  readonly open: (place: string) => Promise<void>;
}

/** The link that signs in, as the server printed it. */
export function consoleLink(server: Server): string {
  const [, link = ""] = /^ {2}Console +(\S+)$/m.exec(server.output()) ?? [];
  return link;
}

/** Opens the console in a browser of its own, signed in by the printed link. */
export async function openConsole(
  browser: Browser,
  server: Server,
  { width = 1280, height = 900 }: { readonly width?: number; readonly height?: number } = {},
): Promise<ConsolePage> {
  const context = await browser.newContext({
    viewport: { width, height },
    // Colours are judged by their contrast, which is less while something fades in.
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(deadlineMs);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  await page.goto(consoleLink(server));
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  return {
    page,
    complaints,
    open: async (place) => {
      await page.evaluate(`location.hash = ${JSON.stringify(`#/${place}`)}`);
    },
  };
}
