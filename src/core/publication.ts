import type { Filter } from "./filter/filter.ts";
import type { MessageTrace } from "./message-trace.ts";
import type { ConnectionId, GroupName, HubName, UserId } from "./names.ts";
import type { StreamPart } from "./outbound.ts";
import type { Metadata, Payload } from "./payload.ts";

/** Who a publication is for. */
export type Target =
  | { readonly kind: "hub" }
  | { readonly kind: "group"; readonly group: GroupName }
  | { readonly kind: "user"; readonly user: UserId }
  | { readonly kind: "connection"; readonly id: ConnectionId };

/** Who published: a connection (its user id may be null) or an application server over REST (no user id at all, R-53). */
export type Sender =
  | { readonly kind: "connection"; readonly id: ConnectionId; readonly user: UserId | null }
  | { readonly kind: "server" };

/** An accepted message on its way to its recipients. Immutable; shared by everything that handles it. */
export interface Publication {
  readonly hub: HubName;
  readonly target: Target;
  readonly payload: Payload;
  readonly metadata: Metadata | null;
  readonly from: Sender;
  /** Connections that must not get it; a sender with `noEcho` is one of them (C-36). */
  readonly excluded: ReadonlySet<ConnectionId> | null;
  readonly filter: Filter | null;
  /** The place in a stream; null: a message of its own. */
  readonly stream: StreamPart | null;
  /** Milliseconds since the epoch after which a waiting copy is dropped; null: never (client-protocols 6.7). */
  readonly expiresAt: number | null;
  /** Null: nobody follows it. */
  readonly trace: MessageTrace | null;
}
