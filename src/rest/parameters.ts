import type { Filter } from "../core/filter/filter.ts";
import {
  type ConnectionId,
  type GroupName,
  parseConnectionId,
  parseGroupName,
  parseUserId,
  type UserId,
} from "../core/names.ts";
import type { Call } from "./call.ts";
import { badRequest, type Problem } from "./errors.ts";
import type { Query } from "./query.ts";
import { decodeSegment, type PathParameter } from "./router.ts";

/** Reads the group of the path. */
export function readGroup(call: Call): GroupName | Problem {
  const name = readSegment(call, "group");
  return (name === null ? null : parseGroupName(name)) ?? badRequest("Invalid group name.");
}

/** Reads the connection id of the path. */
export function readConnectionId(call: Call): ConnectionId | Problem {
  const id = readSegment(call, "connectionId");
  return (id === null ? null : parseConnectionId(id)) ?? badRequest("Invalid connection ID.");
}

/** Reads the user id of the path; one of white space only is refused (rest-api 2.2). */
export function readUserId(call: Call): UserId | Problem {
  const id = readSegment(call, "userId");
  return (id === null || id.trim() === "" ? null : parseUserId(id)) ?? badRequest("Invalid user ID.");
}

/** Decodes a variable segment; null when its escapes are malformed. */
export function readSegment(call: Call, name: PathParameter): string | null {
  return decodeSegment(call.parameters[name] ?? "", call.services.compat.keepEncodedSlash);
}

/** Reads the repeated parameter `excluded`: exact ids, never split, never trimmed. Null: nobody is excluded. */
export function readExcluded(query: Query): ReadonlySet<ConnectionId> | null {
  const excluded = new Set<ConnectionId>();
  for (const value of query.all("excluded")) {
    const id = parseConnectionId(value);
    if (id !== null) excluded.add(id);
  }
  return excluded.size === 0 ? null : excluded;
}

/** Parses a filter; absent and empty mean none. */
export function readFilter(text: string | null, call: Call): Filter | null | Problem {
  if (text === null || text === "") return null;
  const parsed = call.services.filters.parse(text);
  return parsed.ok ? parsed.filter : badRequest(parsed.message);
}

/** Reads an optional number: digits only, 1 to `max`, given once; anything else is a 400 that names it. */
export function readCount(query: Query, name: string, max: number): number | null | Problem {
  const [value, ...more] = query.all(name);
  if (value === undefined) return null;
  const count = Number(value);
  const isValid = more.length === 0 && /^[0-9]+$/.test(value) && count >= 1 && count <= max;
  return isValid ? count : badRequest(`Invalid ${name}.`, name);
}
