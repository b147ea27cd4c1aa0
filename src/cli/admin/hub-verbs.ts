import { type Command, InvalidArgumentError, Option } from "commander";
import { isRawObject, type RawObject, valueAt } from "../../config/raw-tree.ts";
import { done, type Ending, type Failure, misused, shown } from "../ending.ts";
import { details, table } from "../table.ts";
import { addGroup, addVerb, ends, hubNameOption, numberOption, repeatedOption } from "../verb.ts";
import { type AdminOptions, addAdminTarget } from "./admin-target.ts";
import { objectsOf, textOf } from "./members.ts";
import { readPairs } from "./pairs.ts";
import { withAdmin } from "./verb-run.ts";

interface HubOptions extends AdminOptions {
  readonly hubName: string;
}

interface SettingsOptions extends HubOptions {
  readonly eventHandler: readonly string[];
  readonly allowAnonymous?: boolean;
  readonly websocketKeepalive?: number;
}

/** The verbs of `az webpubsub hub` (management 5 and 17). */
export function addHubVerbs(program: Command): void {
  const hub = addGroup(program, "hub", "Settings of the hubs of a running service; a hub needs none to work.");
  const list = addVerb(hub, {
    name: "list",
    summary: "List the hubs that have settings.",
    example: "tidewire hub list -o json",
  });
  addAdminTarget(list).action(ends(listHubs));
  const show = addVerb(hub, {
    name: "show",
    summary: "Show the settings of a hub; secrets are masked.",
    example: "tidewire hub show --hub-name chat",
  });
  addAdminTarget(show).addOption(hubNameOption()).action(ends(showHub));
  const handler = "--event-handler url-template=https://app.example.com/{event}";
  const create = addVerb(hub, {
    name: "create",
    summary: "Give a hub settings; they take the place of those it had.",
    example: `tidewire hub create --hub-name chat ${handler} "user-event-pattern=*" system-event=connect system-event=connected`,
  });
  withSettings(create).action(ends(createHub));
  const update = addVerb(hub, {
    name: "update",
    summary: "Change settings of a hub; those that are not named stay.",
    example: "tidewire hub update --hub-name chat --allow-anonymous true",
  });
  withSettings(update).action(ends(updateHub));
  const remove = addVerb(hub, {
    name: "delete",
    summary: "Take a hub's settings away; the hub works on without.",
    example: "tidewire hub delete --hub-name chat",
    more: "A hub of the configuration file stays away over restarts; POST /admin/hubs/{hub}/restore of the administration API\nbrings it back as configured.",
  });
  addAdminTarget(remove).addOption(hubNameOption()).action(ends(deleteHub));
}

function listHubs(options: AdminOptions): Promise<Ending> {
  return withAdmin(options, async (call) => {
    const answer = await call({ method: "GET", path: ["hubs"] });
    if (!answer.ok) return answer;
    const hubs = objectsOf(answer.body["value"]);
    const rows = hubs.map(({ name, properties, source }) => {
      const settings = isRawObject(properties) ? properties : {};
      const { anonymousConnectPolicy, webSocketKeepAliveIntervalInSeconds, eventHandlers, eventListeners } = settings;
      return [
        textOf(name),
        textOf(anonymousConnectPolicy),
        `${textOf(webSocketKeepAliveIntervalInSeconds)} s`,
        objectsOf(eventHandlers)
          .map(({ urlTemplate }) => textOf(urlTemplate))
          .join(" "),
        String(objectsOf(eventListeners).length),
        textOf(source),
      ];
    });
    return shown(hubs, table(["Name", "Anonymous", "KeepAlive", "EventHandlers", "Listeners", "Source"], rows));
  });
}

function showHub(options: HubOptions): Promise<Ending> {
  return withAdmin(options, async (call) => {
    const answer = await call({ method: "GET", path: ["hubs", options.hubName] });
    return answer.ok ? shownHub(answer.body) : answer;
  });
}

function createHub(options: SettingsOptions): Promise<Ending> {
  const given = settingsOf(options);
  if (!given.ok) return Promise.resolve(given);
  return withAdmin(options, async (call) => {
    const body = { properties: given.properties };
    const answer = await call({ method: "PUT", path: ["hubs", options.hubName], body });
    return answer.ok ? shownHub(answer.body) : answer;
  });
}

function updateHub(options: SettingsOptions): Promise<Ending> {
  const given = settingsOf(options);
  if (!given.ok) return Promise.resolve(given);
  if (Object.keys(given.properties).length === 0)
    return Promise.resolve(
      misused("nothing to change: give --event-handler, --allow-anonymous or --websocket-keepalive"),
    );
  return withAdmin(options, async (call) => {
    const path = ["hubs", options.hubName];
    const current = await call({ method: "GET", path });
    if (!current.ok) return current;
    const old = current.body["properties"];
    const properties = { ...(isRawObject(old) ? old : {}), ...given.properties };
    const answer = await call({ method: "PUT", path, body: { properties } });
    return answer.ok ? shownHub(answer.body) : answer;
  });
}

function deleteHub(options: HubOptions): Promise<Ending> {
  return withAdmin(options, async (call) => {
    const answer = await call({ method: "DELETE", path: ["hubs", options.hubName] });
    return answer.ok ? done : answer;
  });
}

function withSettings(verb: Command): Command {
  return addAdminTarget(verb)
    .addOption(hubNameOption())
    .addOption(
      repeatedOption(
        "--event-handler <settings>",
        "Event handler: url-template=URL user-event-pattern=PATTERN system-event=EVENT auth-type=TYPE auth-resource=RESOURCE; system-event may be repeated, the whole option as well, in the order in which handlers are asked.",
      ),
    )
    .addOption(
      new Option("--allow-anonymous [flag]", "Whether clients without a token may connect: true or false.")
        .preset("true")
        .argParser(parseFlag),
    )
    .addOption(
      numberOption("--websocket-keepalive <seconds>", "Interval of WebSocket pings, 1 to 120.", { min: 1, max: 120 }),
    );
}

function parseFlag(word: string): boolean {
  const lower = word.toLowerCase();
  if (lower === "true" || lower === "false") return lower === "true";
  throw new InvalidArgumentError("It must be true or false.");
}

type GivenSettings = { readonly ok: true; readonly properties: RawObject } | Failure;

/** The settings that the options name, as ARM calls them. */
function settingsOf({ eventHandler, allowAnonymous, websocketKeepalive }: SettingsOptions): GivenSettings {
  const eventHandlers: RawObject[] = [];
  for (const words of eventHandler) {
    const handler = readHandler(words);
    if (!handler.ok) return handler;
    eventHandlers.push(handler.properties);
  }
  const properties = {
    ...(eventHandlers.length > 0 && { eventHandlers }),
    ...(allowAnonymous !== undefined && { anonymousConnectPolicy: allowAnonymous ? "allow" : "deny" }),
    ...(websocketKeepalive !== undefined && { webSocketKeepAliveIntervalInSeconds: websocketKeepalive }),
  };
  return { ok: true, properties };
}

const handlerNames = ["url-template", "user-event-pattern", "system-event", "auth-type", "auth-resource"];

function readHandler(words: string): GivenSettings {
  const pairs = readPairs(words, "--event-handler", handlerNames);
  if (!pairs.ok) return pairs;
  // As in az: of a name that is given twice, the last value counts.
  const last = (name: string): string | undefined => pairs.values.get(name)?.at(-1);
  const urlTemplate = last("url-template");
  if (urlTemplate === undefined) return misused("--event-handler needs url-template=…");
  const pattern = last("user-event-pattern");
  const [type, resource] = [last("auth-type"), last("auth-resource")];
  const properties = {
    urlTemplate,
    ...(pattern !== undefined && { userEventPattern: pattern }),
    systemEvents: pairs.values.get("system-event") ?? [],
    ...((type !== undefined || resource !== undefined) && {
      auth: { type: type ?? "ManagedIdentity", ...(resource !== undefined && { managedIdentity: { resource } }) },
    }),
  };
  return { ok: true, properties };
}

function shownHub(resource: RawObject): Ending {
  const { name, properties, source } = resource;
  const settings = isRawObject(properties) ? properties : {};
  const handlers = objectsOf(settings["eventHandlers"]).map((handler, index): readonly [string, string] => {
    const { urlTemplate, userEventPattern, systemEvents, auth } = handler;
    const type = textOf(valueAt(auth, ["type"]));
    const parts = [
      textOf(urlTemplate),
      `user events: ${textOf(userEventPattern) || "none"}`,
      `system events: ${Array.isArray(systemEvents) && systemEvents.length > 0 ? systemEvents.join(" ") : "none"}`,
      ...(type === "" || type === "None" ? [] : [`auth: ${type}`]),
    ];
    return [`Event handler ${index + 1}`, parts.join("  ")];
  });
  const listeners = objectsOf(settings["eventListeners"]).map((listener, index): readonly [string, string] => {
    const endpoint = isRawObject(listener["endpoint"]) ? listener["endpoint"] : {};
    const { type, eventHubName, topic, subject, url } = endpoint;
    return [`Event listener ${index + 1}`, `${textOf(type)} ${textOf(eventHubName ?? topic ?? subject ?? url)}`.trim()];
  });
  const rows: (readonly [string, string])[] = [
    ["Name", textOf(name)],
    ["Anonymous clients", textOf(settings["anonymousConnectPolicy"])],
    ["Keep-alive", `${textOf(settings["webSocketKeepAliveIntervalInSeconds"])} s`],
    ...handlers,
    ...listeners,
    ["Set by", source === "overlay" ? "administration API" : "configuration"],
  ];
  return shown(resource, details(rows));
}
