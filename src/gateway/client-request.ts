import type { HubName } from "../core/names.ts";
import { parseHubName } from "../core/names.ts";
import type { UpgradeRequest } from "../core/ports.ts";

/** What the URL of a client's handshake says. */
export interface ClientRequest {
  readonly hub: HubName;
  /** Hub as the client spelled it, decoded. */
  readonly hubText: string;
  /** The older form `/client/?hub=…` (C-2). */
  readonly hubInQuery: boolean;
  /** Decoded query parameters in order, names in the client's spelling. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

export type ParsedClientRequest =
  | { readonly ok: true; readonly value: ClientRequest }
  /** 404 for a path that is no client endpoint, 400 for a bad hub (C-13, M-38). */
  | { readonly ok: false; readonly status: 400 | 404; readonly body: string };

const invalidHub: ParsedClientRequest = { ok: false, status: 400, body: "Invalid value of 'hub'." };

/** Reads path and query of a handshake; both URL forms, one trailing slash tolerated (C-1, C-2, client-protocols 2.1). */
export function parseClientRequest({ path, query }: Pick<UpgradeRequest, "path" | "query">): ParsedClientRequest {
  const parameters = [...new URLSearchParams(query)];
  const segments = path.split("/");
  if (segments.length > 2 && segments[segments.length - 1] === "") segments.pop();
  const [, client, hubs, raw] = segments;
  if (client?.toLowerCase() !== "client") return { ok: false, status: 404, body: "" };
  if (segments.length === 2) {
    const hubText = parameters.find(([name]) => name.toLowerCase() === "hub")?.[1] ?? "";
    return withHub(hubText, true, parameters);
  }
  if (hubs?.toLowerCase() !== "hubs" || segments.length > 4) return { ok: false, status: 404, body: "" };
  return withHub(decode(raw ?? ""), false, parameters);
}

function withHub(hubText: string, hubInQuery: boolean, parameters: ClientRequest["parameters"]): ParsedClientRequest {
  const hub = parseHubName(hubText);
  return hub === null ? invalidHub : { ok: true, value: { hub, hubText, hubInQuery, parameters } };
}

/** Decodes once; malformed escapes stay as they are and then fail as a hub name. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The last non-empty value of a parameter, its name in any case (C-4). */
export function lastParameter(parameters: ClientRequest["parameters"], name: string): string | null {
  let found: string | null = null;
  for (const [key, value] of parameters) if (value !== "" && key.toLowerCase() === name) found = value;
  return found;
}
