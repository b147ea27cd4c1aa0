import type { RequiredRole } from "./authorize.ts";
import { addConnectionsToGroups, removeConnectionsFromGroups } from "./bulk-membership.ts";
import type { Handler } from "./call.ts";
import { closeAllConnections, closeConnection, closeGroupConnections, closeUserConnections } from "./close.ts";
import { Problem } from "./errors.ts";
import { connectionExists, groupExists, userExists } from "./existence.ts";
import { generateClientToken } from "./generate-token.ts";
import { listConnectionsInGroup } from "./list.ts";
import {
  addConnectionToGroup,
  addUserToGroup,
  removeConnectionFromAllGroups,
  removeConnectionFromGroup,
  removeUserFromAllGroups,
  removeUserFromGroup,
} from "./membership.ts";
import { checkPermission, grantPermission, revokePermission } from "./permissions.ts";
import type { RestApiCategory } from "./report.ts";
import { sendToAll, sendToConnection, sendToGroup, sendToUser } from "./send.ts";

/** One operation: where it is found, who may call it, what carries it out. */
export interface Route {
  readonly category: RestApiCategory;
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  readonly template: string;
  readonly required: RequiredRole;
  /** Null: health, which has no hub, asks for no token and is answered by the entry itself. */
  readonly handler: Handler | null;
}

const invoke: Handler = () =>
  new Problem("notImplemented", "The operation invoke is not supported.", { target: "Request" });

const hub = "/api/hubs/{hub}";
const connection = `${hub}/connections/{connectionId}`;
const group = `${hub}/groups/{group}`;
const user = `${hub}/users/{userId}`;
const groupConnection = `${group}/connections/{connectionId}`;
const userGroup = `${user}/groups/{group}`;
const permission = `${hub}/permissions/{permission}/connections/{connectionId}`;

/** Every operation of the data-plane API (rest-api 6). */
export const routes: readonly Route[] = [
  route("HealthCheck", ["HEAD", "/api/health"], null),
  route("HealthCheck", ["GET", "/api/health"], null),
  route("SendToAll", ["POST", `${hub}/:send`], sendToAll),
  route("SendToConnection", ["POST", `${connection}/:send`], sendToConnection),
  route("SendToGroup", ["POST", `${group}/:send`], sendToGroup),
  route("SendToUser", ["POST", `${user}/:send`], sendToUser),
  route("GenerateClientToken", ["POST", `${hub}/:generateToken`], generateClientToken),
  route("AddConnectionsToGroups", ["POST", `${hub}/:addToGroups`], addConnectionsToGroups),
  route("RemoveConnectionsFromGroups", ["POST", `${hub}/:removeFromGroups`], removeConnectionsFromGroups),
  route("CloseAllConnections", ["POST", `${hub}/:closeConnections`], closeAllConnections),
  route("CloseGroupConnections", ["POST", `${group}/:closeConnections`], closeGroupConnections),
  route("CloseUserConnections", ["POST", `${user}/:closeConnections`], closeUserConnections),
  route("CloseConnection", ["DELETE", connection], closeConnection),
  route("CheckConnectionExists", ["HEAD", connection], connectionExists),
  route("CheckGroupExists", ["HEAD", group], groupExists),
  route("CheckUserExists", ["HEAD", user], userExists),
  route("ListConnectionsInGroup", ["GET", `${group}/connections`], listConnectionsInGroup),
  route("AddConnectionToGroup", ["PUT", groupConnection], addConnectionToGroup),
  route("RemoveConnectionFromGroup", ["DELETE", groupConnection], removeConnectionFromGroup),
  route("RemoveConnectionFromAllGroups", ["DELETE", `${connection}/groups`], removeConnectionFromAllGroups),
  route("AddUserToGroup", ["PUT", userGroup], addUserToGroup),
  route("RemoveUserFromGroup", ["DELETE", userGroup], removeUserFromGroup),
  route("RemoveUserFromAllGroups", ["DELETE", `${user}/groups`], removeUserFromAllGroups),
  route("GrantPermission", ["PUT", permission], grantPermission),
  route("RevokePermission", ["DELETE", permission], revokePermission),
  route("CheckPermission", ["HEAD", permission], checkPermission),
  route("Invoke", ["POST", `${hub}/:invoke`], invoke),
];

function route(
  category: RestApiCategory,
  [method, template]: readonly [Route["method"], string],
  handler: Handler | null,
): Route {
  // readers may call the HEAD operations and the list.
  const required = method === "HEAD" || method === "GET" ? "reader" : "owner";
  return { category, method, template, required, handler };
}
