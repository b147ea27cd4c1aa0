import { parseConnectionId, parseGroupName, parseHubName, parseUserId } from "../core/names.ts";
import { type Answer, badRequest, failure, ok } from "./answers.ts";
import { pageAnswer, readListQuery } from "./paging.ts";
import type { AdminService } from "./settings.ts";

/** `GET /admin/connections`: those of one hub or of all, of a group, of a user, with a part of an id. */
export async function listConnections({ inspector }: AdminService, query: URLSearchParams): Promise<Answer> {
  const list = readListQuery(query);
  if ("status" in list) return list;
  const groupName = query.get("group") ?? "";
  const group = groupName === "" ? null : parseGroupName(groupName);
  if (groupName !== "" && group === null) return badRequest("group is not the name of a group.");
  const user = parseUserId(query.get("user") ?? "");
  return pageAnswer(await inspector.connections({ ...list, group, user }));
}

/** `GET /admin/groups`: groups that have connections, and how many. */
export async function listGroups({ inspector }: AdminService, query: URLSearchParams): Promise<Answer> {
  const list = readListQuery(query);
  return "status" in list ? list : pageAnswer(await inspector.groups(list));
}

/** `GET /admin/users`: users that have connections, and how many. */
export async function listUsers({ inspector }: AdminService, query: URLSearchParams): Promise<Answer> {
  const list = readListQuery(query);
  return "status" in list ? list : pageAnswer(await inspector.users(list));
}

/** `GET /admin/hubs/{hub}/connections/{id}`: everything there is to know of one connection; 404 without it. */
export function getConnection({ inspector }: AdminService, hubName: string, connectionId: string): Answer {
  const [hub, id] = [parseHubName(hubName), parseConnectionId(connectionId)];
  const details = hub === null || id === null ? null : inspector.connection(hub, id);
  if (details === null)
    return failure(404, "ResourceNotFound", `Hub ${JSON.stringify(hubName)} has no connection with this id.`);
  const recentErrors = details.recentErrors.map(({ timeMs, name, message }) => {
    return { time: new Date(timeMs).toISOString(), name, message };
  });
  return ok({ ...details, recentErrors });
}
