import type { GroupName } from "../core/names.ts";
import { newestVersion } from "./api-version.ts";
import type { Call } from "./call.ts";
import { endpointOf } from "./endpoint.ts";
import { badRequest, clusterDown, type Outcome, Problem } from "./errors.ts";
import { readCount, readGroup } from "./parameters.ts";

const maxPageSize = 200;
const maxTop = 2_147_483_647;
const maxTokenLength = 2048;

/**
 * WebPubSub_ListConnectionsInGroup: one page of members ordered by connection id, and the link to the next one exactly
 * when there is one. An unknown group is an empty list.
 * @spec R-75 R-76 R-77 R-78 R-79 R-80
 */
export async function listConnectionsInGroup(call: Call): Promise<Outcome> {
  const group = readGroup(call);
  if (group instanceof Problem) return group;
  const pageSize = readCount(call.query, "maxpagesize", maxPageSize);
  if (pageSize instanceof Problem) return pageSize;
  const top = readCount(call.query, "top", maxTop);
  if (top instanceof Problem) return top;
  const after = await readAfter(call, group);
  if (after instanceof Problem) return after;

  const asked = pageSize ?? maxPageSize;
  const limit = Math.min(asked, top ?? maxPageSize);
  // One more than the page holds tells whether there is a next page.
  const found = await call.services.operations.listMembers({ hub: call.hub, group, after, limit: limit + 1 });
  if (found === "down") return clusterDown();
  const page = found.slice(0, limit);
  const remaining = top === null ? null : top - page.length;
  const last = page.at(-1);
  const hasMore = found.length > limit && remaining !== 0 && last !== undefined;
  const nextLink = hasMore ? await createLink(call, { group, asked, remaining, after: last.connectionId }) : null;
  const value = page.map(({ connectionId, userId }) => ({ connectionId, userId }));
  return { status: 200, json: JSON.stringify({ value, nextLink }) };
}

/** The id behind which the page starts; empty for the first page. */
async function readAfter(call: Call, group: GroupName): Promise<string | Problem> {
  const [token, ...more] = call.query.all("continuationToken");
  if (token === undefined) return "";
  const isCandidate = more.length === 0 && token.length >= 1 && token.length <= maxTokenLength;
  const after = isCandidate ? await call.services.continuations.read({ hub: call.hub, group }, token) : null;
  return after ?? badRequest("Invalid continuationToken.", "continuationToken");
}

async function createLink(
  call: Call,
  page: {
    readonly group: GroupName;
    readonly asked: number;
    readonly remaining: number | null;
    readonly after: string;
  },
): Promise<string> {
  const token = await call.services.continuations.issue({ hub: call.hub, group: page.group }, page.after);
  const path = `/api/hubs/${encodeURIComponent(call.hub)}/groups/${encodeURIComponent(page.group)}/connections`;
  const top = page.remaining === null ? "" : `&top=${page.remaining}`;
  const query = `api-version=${newestVersion}&maxpagesize=${page.asked}&continuationToken=${token}${top}`;
  return `${endpointOf(call)}${path}?${query}`;
}
