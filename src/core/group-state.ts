import type { ConnectionId, UserId } from "./names.ts";

/** What a member says of itself to the other members of a group: distinct keys in sending order (client-protocols 7.3). */
export type GroupState = readonly (readonly [key: string, value: string])[];

/** The state of one member. */
export interface GroupStateItem {
  readonly connectionId: ConnectionId;
  readonly userId: UserId | null;
  /** null: cleared. */
  readonly state: GroupState | null;
  /** Milliseconds since the epoch; strictly increasing per connection. */
  readonly updatedAt: number;
}
