import { entryAt, spellingOf } from "../config/overlay.ts";
import { isRawObject, type RawObject, valueAt } from "../config/raw-tree.ts";
import type { ConfigState } from "../config/watch.ts";
import { withoutSecrets } from "./secrets.ts";

/** The settings of one hub in the shape of Azure Resource Manager, and where they come from. */
interface HubResource {
  readonly name: string;
  readonly type: "Microsoft.SignalRService/WebPubSub/hubs";
  readonly properties: RawObject;
  /** `overlay`: set by this API, and it wins; `configuration`: from file, environment or command line. */
  readonly source: "configuration" | "overlay";
  /** Whether removing what this API has set would bring settings of the configuration back. */
  readonly isOverridden: boolean;
}

/** The resource of a hub, secrets masked; null where it has no settings. */
export function hubResource(state: ConfigState, name: string): HubResource | null {
  const spelling = spellingOf(state.tree, name);
  const properties = spelling === null ? null : hubProperties(state, spelling);
  if (spelling === null || properties === null) return null;
  const isOurs = entryAt(state.overlay, ["hubs", spelling]) !== undefined;
  return {
    name: spelling,
    type: "Microsoft.SignalRService/WebPubSub/hubs",
    properties: withoutSecrets(properties),
    source: isOurs ? "overlay" : "configuration",
    isOverridden: isOurs && spellingOf(state.baseTree, spelling) !== null,
  };
}

/** Names of the hubs with settings, as they are spelled. */
export function hubNames(state: ConfigState): readonly string[] {
  return Object.keys(state.settings.hubs).toSorted();
}

/** The settings of a hub as written, secrets included, with the defaults that ARM shows; null where it has none. */
export function hubProperties({ tree, settings }: ConfigState, name: string): RawObject | null {
  const valid = settings.hubs[name];
  if (valid === undefined) return null;
  const raw = valueAt(tree, ["hubs", name]);
  const written = isRawObject(raw) ? raw : {};
  const { anonymousConnectPolicy, webSocketKeepAliveIntervalInSeconds, allowedOrigins } = valid;
  return {
    anonymousConnectPolicy,
    webSocketKeepAliveIntervalInSeconds,
    allowedOrigins,
    eventHandlers: items(written["eventHandlers"]).map((item, index) => {
      const handler = valid.eventHandlers[index];
      if (handler === undefined) return item;
      const { userEventPattern, systemEvents, auth } = handler;
      return { ...item, userEventPattern, systemEvents, auth: { ...objectOf(item["auth"]), type: auth.type } };
    }),
    eventListeners: items(written["eventListeners"]),
  };
}

function items(list: unknown): readonly RawObject[] {
  return Array.isArray(list) ? list.map(objectOf) : [];
}

function objectOf(value: unknown): RawObject {
  return isRawObject(value) ? value : {};
}
