import type { ConnectionId } from "../core/names.ts";
import { Problem } from "./errors.ts";

/** The 404 of an operation on a connection that is not there; the text is part of the API. */
export function connectionNotFound(fault: "connectionUnknown" | "permissionDenied", id: ConnectionId): Problem {
  return new Problem(fault, `Connection \`${id}\` is not found.`, { target: "Connection" });
}
