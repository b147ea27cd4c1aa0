// Streams the lines of a file, or of standard input, to everybody who watches.
import { createReadStream } from "node:fs";
import { basename, resolve } from "node:path";
import { type LogLine, levelOf, logLine } from "./log/lines.ts";
import { negotiate } from "./log/negotiate.ts";
import { publish } from "./log/publisher.ts";
import { failed, misused, readArguments, reasonOf } from "./log/terminal.ts";

const usage = "usage: npm run publish -- [file] [--source name] [--server http://localhost:3004]";
/** More than a line may have: the rest of a longer one is not kept in memory. */
const maxLineLength = 20_000;

const { server, values, positionals } = readArguments(["source"], usage);
const [file = "-"] = positionals;
if (positionals.length > 1) misused(usage);
if (file === "-" && process.stdin.isTTY) misused(`Name a file, or pipe lines into it.\n${usage}`);

// npm runs this in the example's folder; the file is meant as seen from where npm was started.
const path = resolve(process.env["INIT_CWD"] ?? ".", file);
const input = file === "-" ? process.stdin : createReadStream(path);
const source = values["source"] ?? (file === "-" ? "stdin" : basename(file));

// The first Ctrl-C ends the input, and what has been read is still delivered; the second one ends at once.
let isStopping = false;
const stop = (): void => {
  if (isStopping) process.exit(130);
  isStopping = true;
  input.destroy();
};
process.on("SIGINT", stop);
process.on("SIGTERM", stop);

async function* linesOf(chunks: NodeJS.ReadableStream): AsyncGenerator<LogLine> {
  let rest = "";
  try {
    for await (const chunk of chunks.setEncoding("utf8")) {
      const complete = (rest + String(chunk)).split(/\r?\n/);
      rest = (complete.pop() ?? "").slice(0, maxLineLength);
      for (const text of complete) yield lineOf(text);
    }
  } catch (error) {
    if (!isStopping) throw error;
  }
  if (rest !== "") yield lineOf(rest);
}

function lineOf(text: string): LogLine {
  const line = logLine({ time: Date.now(), level: "info", source, text });
  return { ...line, level: levelOf(line.text) };
}

try {
  const count = await publish({
    negotiate: () => negotiate(server, "publisher"),
    lines: linesOf(input),
    onDisconnected: () => console.error("The connection is lost; looking for a new one …"),
  });
  console.error(`${count} lines published, every one of them acknowledged.`);
} catch (error) {
  failed(`Cannot publish: ${reasonOf(error)}`);
}
// The SDK's timers would keep the process for a while.
process.exit(0);
