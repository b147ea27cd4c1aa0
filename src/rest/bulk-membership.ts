import { type GroupName, parseGroupName } from "../core/names.ts";
import type { BulkMembershipRequest } from "../core/operations.ts";
import { checkBodyLength, readBytes } from "./body.ts";
import type { Call } from "./call.ts";
import { chooseTextEncoding, parseContentType } from "./content-type.ts";
import { badRequest, clusterDown, emptyReply, type Outcome, Problem } from "./errors.ts";
import { readFilter } from "./parameters.ts";

/** WebPubSub_AddConnectionsToGroups: 200 with an empty body, also when nothing matched. */
export function addConnectionsToGroups(call: Call): Promise<Outcome> {
  return changeWhere(call, "add");
}

/** WebPubSub_RemoveConnectionsFromGroups: 200 with an empty body, also when nothing matched. */
export function removeConnectionsFromGroups(call: Call): Promise<Outcome> {
  return changeWhere(call, "remove");
}

async function changeWhere(call: Call, change: BulkMembershipRequest["change"]): Promise<Outcome> {
  const { request, services } = call;
  const length = checkBodyLength(request.headers, services.maxBodyBytes);
  if (length instanceof Problem) return length;
  const contentType = parseContentType(request.headers.get("content-type") ?? "");
  if (contentType?.mediaType !== "application/json") return emptyReply(415);
  const encoding = chooseTextEncoding(contentType.charset);
  if (encoding === null) return emptyReply(415);
  const bytes = await readBytes(request, length, services.maxBodyBytes);
  if (bytes instanceof Problem) return bytes;
  const decoder = encoding === "utf-8" ? new TextDecoder() : encoding;
  const body = parseGroupsRequest(decoder.decode(bytes));
  if (body instanceof Problem) return body;
  const filter = readFilter(body.filter, call);
  if (filter instanceof Problem) return filter;
  const outcome = await services.operations.changeMembershipWhere({
    hub: call.hub,
    change,
    groups: body.groups,
    filter,
  });
  return outcome === "done" ? emptyReply(200) : clusterDown();
}

/** Reads `{groups, filter}`: member names in any case, unknown members ignored, the last of a repeated one wins. */
function parseGroupsRequest(text: string): { groups: readonly GroupName[]; filter: string | null } | Problem {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return invalidRequest();
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) return invalidRequest();
  let groups: unknown = null;
  let filter: unknown = null;
  for (const [name, value] of Object.entries(body)) {
    if (name.toLowerCase() === "groups") groups = value;
    if (name.toLowerCase() === "filter") filter = value;
  }
  if (filter !== null && typeof filter !== "string") return invalidRequest();
  const names = parseGroups(groups);
  return names instanceof Problem ? names : { groups: names, filter };
}

/** */
function parseGroups(groups: unknown): readonly GroupName[] | Problem {
  if (groups === null) return noGroups();
  if (!Array.isArray(groups)) return invalidRequest();
  const elements: readonly unknown[] = groups;
  const names = new Set<GroupName>();
  for (const group of elements) {
    if (group !== null && typeof group !== "string") return invalidRequest();
    const name = group === null ? null : parseGroupName(group);
    if (name === null) return noGroups();
    names.add(name);
  }
  return names.size === 0 ? noGroups() : [...names];
}

function invalidRequest(): Problem {
  return badRequest("The request body is not a valid groups request.");
}

function noGroups(): Problem {
  return badRequest("A nonempty list of valid group names is required.");
}
