import { createInterface, type Interface } from "node:readline";
import { done, type Ending, failed } from "../ending.ts";
import { paletteFor, safeText } from "../terminal.ts";
import { dial } from "../web-socket.ts";
import type { ClientUrl } from "./client-url.ts";
import { consoleHelp, readConsoleCommand } from "./console-commands.ts";

type Frame = Readonly<Record<string, unknown>>;

const subprotocol = "json.webpubsub.azure.v1";
const historySize = 500;

/**
 * Connects and runs the interactive client until `quit`, the end of the input or the end of the connection.
 *
 * On a terminal with line editing and history; with piped input one command after the other, each after the answer to the
 * one before. With `asJson` the frames of the service are printed as they came, one line each, and nothing else.
 */
export async function runConsole(
  { baseUrl, token }: ClientUrl,
  { asJson }: { readonly asJson: boolean },
): Promise<Ending> {
  const dialled = await dial({ url: baseUrl, token, subprotocol, forbidden: "a network rule refuses clients" });
  if (!dialled.ok) return dialled;
  const isInteractive = process.stdin.isTTY && process.stdout.isTTY;
  const reader = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal: isInteractive,
    historySize,
  });
  return new ConsoleSession(dialled.socket, { reader, asJson, isInteractive }).run();
}

interface Terminal {
  readonly reader: Interface;
  readonly asJson: boolean;
  readonly isInteractive: boolean;
}

/** One connection and the person or program in front of it. */
class ConsoleSession {
  readonly #socket: WebSocket;
  readonly #terminal: Terminal;
  readonly #paint = paletteFor(process.stdout);
  readonly #acks = new Map<number, (frame: Frame) => void>();
  readonly #typed: string[] = [];
  readonly #ended = Promise.withResolvers<Ending>();
  #nextAckId = 1;
  #isQuitting = false;
  #lastWords: string | null = null;

  constructor(socket: WebSocket, terminal: Terminal) {
    this.#socket = socket;
    this.#terminal = terminal;
  }

  run(): Promise<Ending> {
    const { reader, isInteractive } = this.#terminal;
    this.#socket.addEventListener("message", ({ data }) => this.#received(String(data)));
    this.#socket.addEventListener("close", ({ code, reason }) => this.#closed(code, reason));
    const lines: string[] = [];
    let isBusy = false;
    let isAtEnd = false;
    const work = async (): Promise<void> => {
      if (isBusy) return;
      isBusy = true;
      for (let line = lines.shift(); line !== undefined && !this.#isQuitting; line = lines.shift()) {
        await this.#execute(line);
      }
      isBusy = false;
      if (isAtEnd) this.#quit();
      else this.#prompt();
    };
    reader.on("line", (line) => {
      lines.push(line);
      void work();
    });
    reader.on("close", () => {
      isAtEnd = true;
      // Ctrl+C or Ctrl+D of a person; a program's commands are still carried out.
      if (isInteractive) this.#quit();
      else void work();
    });
    this.#prompt();
    return this.#ended.promise;
  }

  async #execute(line: string): Promise<void> {
    const command = readConsoleCommand(line);
    if (command.kind !== "nothing") {
      this.#typed.push(line.trim());
      if (this.#typed.length > historySize) this.#typed.shift();
    }
    switch (command.kind) {
      case "nothing":
        return;
      case "help":
        this.#say(consoleHelp);
        return;
      case "history":
        this.#say(this.#typed.map((typed, index) => `${String(index + 1).padStart(4)}  ${safeText(typed)}`).join("\n"));
        return;
      case "quit":
        this.#quit();
        return;
      case "wrong":
        this.#complain(command.reason);
        return;
      case "frame": {
        const refusal = refusalIn(await this.#send(command.frame));
        if (refusal !== null) this.#complain(refusal);
        else this.#say(this.#paint.dim(safeText(command.done)));
      }
    }
  }

  /** Sends a frame; resolves with its ack, or with an empty frame when the connection ends before it. */
  #send(frame: Frame): Promise<Frame> {
    const ackId = this.#nextAckId++;
    const { promise, resolve } = Promise.withResolvers<Frame>();
    this.#acks.set(ackId, resolve);
    this.#socket.send(JSON.stringify({ ...frame, ackId }));
    return promise;
  }

  #received(text: string): void {
    const frame = parseFrame(text);
    if (this.#terminal.asJson) this.#write(text);
    else {
      const line = frame["type"] === "ack" ? null : this.#describe(frame, text);
      if (line !== null) this.#write(line);
    }
    if (frame["type"] === "system" && frame["event"] === "disconnected") this.#lastWords = word(frame["message"]);
    const { ackId } = frame as { ackId?: unknown };
    if (frame["type"] !== "ack" || typeof ackId !== "number") return;
    const resolve = this.#acks.get(ackId);
    this.#acks.delete(ackId);
    resolve?.(frame);
  }

  #describe(frame: Frame, text: string): string {
    const { type, event, userId, connectionId, from, group, fromUserId, dataType, data, message } = frame;
    if (type === "system" && event === "connected") {
      const user = typeof userId === "string" ? ` as ${userId}` : "";
      return this.#paint.dim(
        safeText(`connected${user}, connection ${word(connectionId)}; help shows what you can type`),
      );
    }
    if (type === "system" && event === "disconnected")
      return this.#paint.yellow(safeText(`disconnected: ${word(message)}`));
    if (type !== "message") return safeText(text);
    const sender = typeof fromUserId === "string" ? ` ${fromUserId}` : "";
    const source = from === "group" ? `${word(group)}${sender}` : "server";
    const content = dataType === "json" ? JSON.stringify(data) : word(data);
    return `${this.#paint.cyan(safeText(source))}: ${safeText(content)}`;
  }

  #closed(code: number, reason: string): void {
    const told = this.#lastWords ?? reason;
    const isWanted = this.#isQuitting;
    this.#ended.resolve(isWanted ? done : failed(`the connection ended (${code}${told === "" ? "" : `: ${told}`})`));
    for (const resolve of this.#acks.values()) resolve({});
    this.#terminal.reader.close();
  }

  #quit(): void {
    if (this.#isQuitting) return;
    this.#isQuitting = true;
    this.#socket.close(1000);
  }

  /** Says something of our own; nothing with `--output json`, where every line is a frame. */
  #say(text: string): void {
    if (!this.#terminal.asJson) this.#write(text);
  }

  #complain(text: string): void {
    if (this.#terminal.isInteractive) this.#write(this.#paint.red(safeText(text)));
    else console.error(`tidewire: ${safeText(text)}`);
  }

  /** Writes a line; what a person is typing moves below it. */
  #write(text: string): void {
    if (this.#terminal.isInteractive) process.stdout.write("\r\u001B[K");
    console.log(text);
    this.#prompt();
  }

  #prompt(): void {
    if (this.#terminal.isInteractive && !this.#isQuitting) this.#terminal.reader.prompt(true);
  }
}

function refusalIn(ack: Frame): string | null {
  if (ack["success"] === true || ack["type"] === undefined) return null;
  const { error } = ack;
  const { name, message } = (typeof error === "object" && error !== null ? error : {}) as Frame;
  return `refused: ${word(message)} (${word(name)})`;
}

function parseFrame(text: string): Frame {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as Frame) : {};
  } catch {
    return {};
  }
}

function word(value: unknown): string {
  return typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
}
