/** What a line of the interactive client asks for. */
export type ConsoleCommand =
  | { readonly kind: "frame"; readonly frame: Readonly<Record<string, unknown>>; readonly done: string }
  | { readonly kind: "help" }
  | { readonly kind: "history" }
  | { readonly kind: "quit" }
  | { readonly kind: "nothing" }
  | { readonly kind: "wrong"; readonly reason: string };

/** What `help` prints. */
export const consoleHelp = [
  "join GROUP           join a group",
  "leave GROUP          leave a group",
  "send GROUP TEXT      send a message to a group",
  "event NAME TEXT      send an event to the event handler",
  "history              show what was typed",
  "help                 show this",
  "quit                 close the connection and end",
  "",
  'A group with blanks stands in quotes: join "my room". send --json and event --json send JSON instead of text.',
].join("\n");

/** Other names, those of az among them. */
const aliases: ReadonlyMap<string, string> = new Map([
  ["joingroup", "join"],
  ["leavegroup", "leave"],
  ["sendtogroup", "send"],
  ["exit", "quit"],
  ["?", "help"],
]);

/** Reads one line of the interactive client. A frame lacks its `ackId`, which its sender adds. */
export function readConsoleCommand(line: string): ConsoleCommand {
  const [word = "", rest] = firstWord(line);
  const name = word.toLowerCase();
  switch (aliases.get(name) ?? name) {
    case "":
      return { kind: "nothing" };
    case "help":
      return { kind: "help" };
    case "history":
      return { kind: "history" };
    case "quit":
      return { kind: "quit" };
    case "join":
      return membership("joinGroup", rest);
    case "leave":
      return membership("leaveGroup", rest);
    case "send":
      return message(rest, (group) => ({ type: "sendToGroup", group }));
    case "event":
      return message(rest, (event) => ({ type: "event", event }));
    default:
      return wrong(`there is no ${word}; help shows what there is`);
  }
}

function membership(type: "joinGroup" | "leaveGroup", rest: string): ConsoleCommand {
  const [group = "", more] = firstWord(rest);
  const verb = type === "joinGroup" ? "join" : "leave";
  if (group === "" || more !== "") return wrong(`${verb} needs one group`);
  return { kind: "frame", frame: { type, group }, done: `${verb === "join" ? "joined" : "left"} ${group}` };
}

function message(
  rest: string,
  frameFor: (name: string) => { readonly type: string } & Readonly<Record<string, string>>,
): ConsoleCommand {
  const isJson = /^--json(?:\s|$)/.test(rest);
  const [name = "", text] = firstWord(isJson ? rest.slice("--json".length) : rest);
  const frame = frameFor(name);
  const what = frame.type === "event" ? "event" : "send";
  if (name === "" || (text === "" && (isJson || what === "send")))
    return wrong(`${what} needs a ${what === "event" ? "name" : "group"} and a message`);
  if (!isJson) return { kind: "frame", frame: { ...frame, dataType: "text", data: text }, done: "sent" };
  try {
    const data: unknown = JSON.parse(text);
    return { kind: "frame", frame: { ...frame, dataType: "json", data }, done: "sent" };
  } catch {
    return wrong("the message is not JSON");
  }
}

/** The first word, or a text in quotes, and everything behind the blanks after it. */
function firstWord(line: string): readonly [string | undefined, string] {
  const match = /^\s*(?:"([^"]*)"|(\S+))(?:\s+([\s\S]*))?$/.exec(line);
  return match === null ? [undefined, ""] : [match[1] ?? match[2], (match[3] ?? "").trimEnd()];
}

function wrong(reason: string): ConsoleCommand {
  return { kind: "wrong", reason };
}
