import { type Command, Option } from "commander";
import { type Ending, shown } from "../ending.ts";
import { addTarget, readTarget, type TargetOptions } from "../target.ts";
import { addGroup, addVerb, ends, hubNameOption, numberOption, repeatedOption } from "../verb.ts";
import { type ClientProtocol, type ClientUrl, clientProtocols, makeClientUrl } from "./client-url.ts";

interface ClientOptions extends TargetOptions {
  readonly hubName: string;
  readonly userId?: string;
  readonly group: readonly string[];
  readonly role: readonly string[];
}

interface UrlOptions extends ClientOptions {
  readonly expires: number;
  readonly protocol: ClientProtocol;
}

const defaultMinutes = 60;
const maxMinutes = 5_256_000;
/** What `az webpubsub client start` gives its client. */
const memberRoles = ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"];
const sessionSeconds = 86_400;

/** `url`, `token` and `client start` (management 16 and 17, M-63). */
export function addClientVerbs(program: Command): void {
  const url = addVerb(program, {
    name: "url",
    summary: "Print a URL with which a client connects.",
    example: "tidewire url --hub-name chat --user-id ann --role webpubsub.sendToGroup.room --group room --expires 30",
  });
  withToken(url).action(ends((options: UrlOptions) => show(options, ({ url: text }) => text)));
  const token = addVerb(program, {
    name: "token",
    summary: "Print a client access token alone.",
    example: "tidewire token --hub-name chat --user-id ann",
  });
  withToken(token).action(ends((options: UrlOptions) => show(options, ({ token: text }) => text)));
  const client = addGroup(program, "client", "Connect to a hub as a client.");
  const start = addVerb(client, {
    name: "start",
    summary: "Connect with the JSON subprotocol and read commands: join, leave, send, event, history, help, quit.",
    example: "tidewire client start --hub-name chat --user-id ann --group room",
  });
  withClient(start)
    .addOption(
      repeatedOption(
        "--role <role>",
        `Role of the client; may be repeated. Without one: ${memberRoles.join(" and ")}.`,
      ),
    )
    .action(ends(startClient));
}

async function show(options: UrlOptions, text: (url: ClientUrl) => string): Promise<Ending> {
  const target = readTarget(options);
  if (!target.ok) return target;
  const made = makeClientUrl(target.service, {
    hubName: options.hubName,
    userId: options.userId ?? null,
    groups: options.group,
    roles: options.role,
    lifetimeSeconds: options.expires * 60,
    protocol: options.protocol,
  });
  return shown(made, text(made));
}

async function startClient(options: ClientOptions & { readonly output: string }): Promise<Ending> {
  const target = readTarget(options);
  if (!target.ok) return target;
  const { runConsole } = await import("./console.ts");
  const made = makeClientUrl(target.service, {
    hubName: options.hubName,
    userId: options.userId ?? null,
    groups: options.group,
    roles: options.role.length === 0 ? memberRoles : options.role,
    lifetimeSeconds: sessionSeconds,
    protocol: "default",
  });
  return runConsole(made, { asJson: options.output === "json" });
}

function withClient(verb: Command): Command {
  return addTarget(verb)
    .addOption(hubNameOption())
    .addOption(new Option("--user-id <user>", "Id of the user; none: anonymous."))
    .addOption(repeatedOption("--group <group>", "Group the client is in from the start; may be repeated."));
}

function withToken(verb: Command): Command {
  return withClient(verb)
    .addOption(
      repeatedOption(
        "--role <role>",
        "Role of the client, such as webpubsub.sendToGroup or webpubsub.joinLeaveGroup.room; may be repeated.",
      ),
    )
    .addOption(
      numberOption("--expires <minutes>", "Minutes during which a client may connect.", {
        min: 1,
        max: maxMinutes,
      }).default(defaultMinutes),
    )
    .addOption(new Option("--protocol <protocol>", "Kind of client.").choices(clientProtocols).default("default"));
}
