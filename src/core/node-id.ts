import type { ConnectionId } from "./names.ts";

/** Length of a node id: 8 characters of `[a-z0-9]`, random per process start (cluster.md section 2). */
export const nodeIdLength = 8;

/** The node that owns a connection; an id of another shape names a node that does not exist. */
export function ownerOf(id: ConnectionId): string {
  return id.slice(0, nodeIdLength);
}
