// Follows the log in a terminal.
import { clockOf, type Level, levels, type NumberedLine } from "./log/lines.ts";
import { negotiate } from "./log/negotiate.ts";
import { failed, misused, readArguments, reasonOf } from "./log/terminal.ts";
import { view } from "./log/viewer.ts";

const usage =
  "usage: npm run watch -- [--level debug|info|warn|error] [--grep pattern] [--server http://localhost:3004]";
const { server, values, positionals } = readArguments(["level", "grep"], usage);
if (positionals.length > 0) misused(usage);
const leastLevel = levels.indexOf((values["level"] ?? "debug") as Level);
if (leastLevel === -1) misused(`There is no level "${values["level"]}".\n${usage}`);
const pattern = patternOf(values["grep"] ?? "");

function patternOf(text: string): RegExp {
  try {
    return new RegExp(text, "i");
  } catch {
    misused(`"${text}" is not a pattern.\n${usage}`);
  }
}

const isColoured = process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "";
const paint = (code: number, text: string): string => (isColoured ? `\u001b[${code}m${text}\u001b[0m` : text);
const colours: Readonly<Record<Level, number>> = { debug: 90, info: 36, warn: 33, error: 31 };

function show(line: NumberedLine): void {
  const { number, level, source, text } = line;
  const columns = [
    paint(90, `${String(number).padStart(6)}  ${clockOf(line)}`),
    paint(colours[level], level.padEnd(5)),
    paint(90, source.padEnd(10)),
    text,
  ];
  console.log(columns.join("  "));
}

let [received, gaps] = [0, 0];
const stop = (): void => {
  console.error(`${received} lines received, gaps: ${gaps}`);
  process.exit(0);
};
process.on("SIGINT", stop);
process.on("SIGTERM", stop);
// The reader, such as "head", has enough.
process.stdout.on("error", stop);

try {
  await view({
    negotiate: () => negotiate(server, "viewer"),
    onProgress({ lines, joinedAt, missing }) {
      if (joinedAt !== null) console.error(paint(90, `joined at line ${joinedAt}`));
      if (missing !== null) {
        gaps += 1;
        console.error(paint(31, `lines ${missing.from} to ${missing.to} are missing`));
      }
      received += lines.length;
      for (const line of lines) {
        if (levels.indexOf(line.level) >= leastLevel && (pattern.test(line.text) || pattern.test(line.source)))
          show(line);
      }
    },
    onDisconnected: () => console.error("The connection is lost; looking for a new one …"),
    onReconnected: () => console.error("Connected again."),
    onRejoinFailed: () => failed("This viewer may not join the log any more."),
  });
  console.error(`Watching ${server}`);
} catch (error) {
  failed(`Cannot watch: ${reasonOf(error)}`);
}
