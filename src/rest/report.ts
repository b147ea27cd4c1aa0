import type { MessageTrace } from "../core/message-trace.ts";
import type { Call } from "./call.ts";

/** What a request was, in the names of the service's metric `RestApiResponseTime` (management 15). */
export type RestApiCategory =
  | "AddConnectionToGroup"
  | "AddConnectionsToGroups"
  | "AddUserToGroup"
  | "CheckConnectionExists"
  | "CheckGroupExists"
  | "CheckPermission"
  | "CheckUserExists"
  | "CloseAllConnections"
  | "CloseConnection"
  | "CloseGroupConnections"
  | "CloseUserConnections"
  | "GenerateClientToken"
  | "GrantPermission"
  | "HealthCheck"
  | "Invoke"
  | "ListConnectionsInGroup"
  | "RemoveConnectionFromAllGroups"
  | "RemoveConnectionFromGroup"
  | "RemoveConnectionsFromGroups"
  | "RemoveUserFromAllGroups"
  | "RemoveUserFromGroup"
  | "RevokePermission"
  | "SendToAll"
  | "SendToConnection"
  | "SendToGroup"
  | "SendToUser"
  /** Unknown paths, wrong methods and `OPTIONS`. */
  | "Uncategorized";

/** One answered request, with the fields of an HttpRequestLogs line (management 14.2, M-51). */
export interface RestReport {
  readonly category: RestApiCategory;
  /** Null for an unknown path. */
  readonly routeTemplate: string | null;
  readonly httpMethod: string;
  /** Path and query with the values of unknown parameters redacted; built when asked for. */
  url(): string;
  readonly statusCode: number;
  readonly durationMs: number;
  /** Null until the request was authorized and its hub understood. */
  readonly hub: Call["hub"] | null;
  readonly callerAddress: string;
  /** Null: nobody watches. */
  readonly trace: MessageTrace | null;
}

/** Parameters of the API; anything else, an `access_token` for one, may be a secret that went astray (M-10). */
const knownParameters: ReadonlySet<string> = new Set([
  "api-version",
  "clienttype",
  "excluded",
  "filter",
  "group",
  "maxpagesize",
  "messagettlseconds",
  "minutestoexpire",
  "reason",
  "role",
  "targetname",
  "top",
  "userid",
]);

/** Writes a URL for the log: parameters that the API does not know, and all that has no name, lose their text. */
export function redactUrl(path: string, query: string): string {
  if (query === "") return path;
  const parts = query.split("&").map((part) => {
    const equals = part.indexOf("=");
    const name = equals === -1 ? "" : part.slice(0, equals);
    if (knownParameters.has(name.toLowerCase())) return part;
    return equals === -1 ? "REDACTED" : `${name.slice(0, 64)}=REDACTED`;
  });
  return `${path}?${parts.join("&")}`;
}
