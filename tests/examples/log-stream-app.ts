import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { inTime } from "../support/inbox.ts";
import { cleanUpLater } from "../support/reaper.ts";
import { tempDir } from "../support/temp.ts";

const project = fileURLToPath(new URL("../../", import.meta.url));
const bun = join(project, "node_modules", ".bin", "bun");
const folder = join(project, "examples", "log-stream");
const deadlineMs = 60_000;

/** `publish.ts` or `watch.ts` as somebody runs it in a terminal. */
export class Command {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<number | null>;
  readonly #watchers = new Set<() => void>();
  stdout = "";
  stderr = "";

  constructor(script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const child = spawn(bun, [script, ...args], {
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "", HOME: tempDir(), ...env },
    });
    this.#child = child;
    const id = child.pid;
    if (id !== undefined) cleanUpLater("started", id);
    child.stdin.on("error", () => {}); // it may end before it has read everything
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
      for (const look of this.#watchers) look();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
      for (const look of this.#watchers) look();
    });
    this.#exited = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        if (id !== undefined) cleanUpLater("ended", id);
        resolve(code);
      });
    });
  }

  /** Types lines, or pipes them in. */
  write(lines: readonly string[]): void {
    this.#child.stdin.write(lines.map((line) => `${line}\n`).join(""));
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves once `holds`, which is asked again whenever something was written. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const found = Promise.withResolvers<void>();
    const look = (): void => void (holds() && found.resolve());
    this.#watchers.add(look);
    look();
    const ended = this.#exited.then((code) => {
      if (!holds()) throw new Error(`ended with ${code} before ${what}:\n${this.stdout}${this.stderr}`);
    });
    try {
      await inTime(Promise.race([found.promise, ended]), what, deadlineMs);
    } finally {
      this.#watchers.delete(look);
    }
  }

  /** Its exit code. */
  ended(): Promise<number | null> {
    return inTime(this.#exited, "end of the command", deadlineMs);
  }
}

/** A line as a viewer shows it. */
export interface SeenLine {
  readonly number: number;
  readonly text: string;
}

/** What a terminal printed. */
export function linesOf({ stdout }: Command): SeenLine[] {
  return [...stdout.matchAll(/^ *(\d+) {2}[\d:.]{12} {2}\w+ +\S+ +(.*)$/gm)].map(([, number, text = ""]) => ({
    number: Number(number),
    text,
  }));
}

/** What a page shows, found by scrolling from its first row to its last. */
export async function scrollThrough(page: Page): Promise<SeenLine[]> {
  const size = page.viewportSize() ?? { width: 1280, height: 800 };
  await page.setViewportSize({ ...size, height: 2000 });
  const lines = await page.evaluate(async () => {
    const frame = () => new Promise(requestAnimationFrame);
    const log = document.querySelector("#log") ?? document.body;
    const seen = new Map<string, { number: number; text: string; top: number }>();
    log.scrollTop = 0;
    for (let isAtEnd = false; !isAtEnd; log.scrollTop += log.clientHeight) {
      // The page draws as it is scrolled, before the next frame.
      await frame();
      isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 1;
      for (const row of log.querySelectorAll<HTMLElement>(".row:not(.note)")) {
        const [number, text] = [row.querySelector(".number"), row.querySelector(".text")];
        const top = Number.parseFloat(row.style.top);
        seen.set(row.id, { number: Number(number?.textContent), text: text?.textContent ?? "", top });
      }
    }
    return [...seen.values()].sort((one, other) => one.top - other.top).map(({ number, text }) => ({ number, text }));
  });
  await page.setViewportSize(size);
  return lines;
}
