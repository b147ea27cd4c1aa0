import type { Filter } from "./filter/filter.ts";
import type { ConnectionId, GroupName, HubName, UserId } from "./names.ts";
import type { Publication, Target } from "./publication.ts";

/**
 * What application servers can ask of the service, over all nodes. Arguments are parsed values; nothing here rejects.
 * Every call resolves when its effect holds on the node that owns each connection: a publication accepted afterwards
 * observes it (rest-api 17.4). `down` means that part of the cluster could not be reached and the call must be refused
 * with 503.
 */
export interface Operations {
  /**
   * Hands a publication to every recipient's outbox; nobody being there is not a failure. Sequential calls of one
   * caller reach each recipient in order.
   */
  publish(publication: Publication): "done" | Promise<"done" | "down">;
  exists(hub: HubName, subject: Subject): Promise<"yes" | "no" | "down">;
  /**
   * Adds or removes one connection, or all current connections of a user; `group` null (removal only) means all groups.
   * `unknown`: the connection does not exist, the user has no connection. Idempotent; asks no permission.
   */
  changeMembership(request: MembershipRequest): Promise<"done" | "unknown" | "down">;
  /** Adds or removes every connection of the hub that the filter selects; selection first, then the changes. */
  changeMembershipWhere(request: BulkMembershipRequest): Promise<"done" | "down">;
  /** Grants, revokes or checks; `conflict`: the limit of literal rules. `group` null: all groups. */
  permission(request: PermissionRequest): Promise<"done" | "unknown" | "denied" | "conflict" | "down">;
  /** Closes a snapshot of the target's connections; each is gone for every later call when this resolves. */
  closeConnections(request: CloseRequest): Promise<"done" | "down">;
  /** The first `limit` members of the group with an id above `after`, ordered by connection id. */
  listMembers(request: ListRequest): Promise<readonly Member[] | "down">;
}

export type Subject =
  | { readonly kind: "connection"; readonly id: ConnectionId }
  | { readonly kind: "group"; readonly group: GroupName }
  | { readonly kind: "user"; readonly user: UserId };

export interface MembershipRequest {
  readonly hub: HubName;
  readonly change: "add" | "remove";
  readonly subject: Exclude<Subject, { kind: "group" }>;
  readonly group: GroupName | null;
}

export interface BulkMembershipRequest {
  readonly hub: HubName;
  readonly change: "add" | "remove";
  readonly groups: readonly GroupName[];
  readonly filter: Filter | null;
}

export interface PermissionRequest {
  readonly hub: HubName;
  readonly change: "grant" | "revoke" | "check";
  readonly id: ConnectionId;
  readonly action: "sendToGroup" | "joinLeaveGroup";
  readonly group: GroupName | null;
}

export interface CloseRequest {
  readonly hub: HubName;
  readonly target: Target;
  readonly excluded: ReadonlySet<ConnectionId> | null;
  /** Empty: no reason given. */
  readonly reason: string;
}

export interface ListRequest {
  readonly hub: HubName;
  readonly group: GroupName;
  readonly after: string;
  readonly limit: number;
}

/** One row of a group's member list (rest-api 10). */
export interface Member {
  readonly connectionId: ConnectionId;
  readonly userId: UserId | null;
}

/** What one node does for an operation, on its own connections; what crosses the cluster. */
export type NodeCommand =
  | { readonly kind: "exists"; readonly hub: HubName; readonly subject: Subject }
  | ({ readonly kind: "membership" } & MembershipRequest)
  | ({ readonly kind: "membershipWhere" } & BulkMembershipRequest)
  | ({ readonly kind: "permission" } & PermissionRequest)
  | ({ readonly kind: "close" } & CloseRequest)
  | ({ readonly kind: "list" } & ListRequest);

export type NodeAnswer =
  | { readonly kind: "outcome"; readonly outcome: "done" | "unknown" | "denied" | "conflict" }
  | { readonly kind: "members"; readonly members: readonly Member[] };
