import type { Connection } from "./connection.ts";
import type { GroupState, GroupStateItem } from "./group-state.ts";
import type { GroupName } from "./names.ts";

interface GroupEntry {
  readonly states: Map<Connection, GroupStateItem>;
  readonly subscribers: Set<Connection>;
}

const nobody: readonly Connection[] = [];

/**
 * What the members of the groups of one hub say of themselves, and who wants to know (client-protocols 7.3). Groups that
 * nobody uses this for have no entry. The caller sees to it that only members are in here.
 */
export class GroupStates {
  readonly #groups = new Map<GroupName, GroupEntry>();
  readonly #updatedAt = new WeakMap<Connection, number>();

  /** Replaces the state of a member; null clears it. Returns what subscribers are told. */
  set(
    connection: Connection,
    group: GroupName,
    change: { readonly state: GroupState | null; readonly now: number },
  ): GroupStateItem {
    const item = this.#item(connection, change);
    if (change.state !== null) this.#entry(group).states.set(connection, item);
    else {
      this.#groups.get(group)?.states.delete(connection);
      this.#dropEmpty(group);
    }
    return item;
  }

  subscribe(connection: Connection, group: GroupName): void {
    this.#entry(group).subscribers.add(connection);
  }

  unsubscribe(connection: Connection, group: GroupName): void {
    this.#groups.get(group)?.subscribers.delete(connection);
    this.#dropEmpty(group);
  }

  /** Forgets a member that left. Returns what the other subscribers are told; null when it had no state. */
  left(connection: Connection, group: GroupName, now: number): GroupStateItem | null {
    const entry = this.#groups.get(group);
    if (entry === undefined) return null;
    entry.subscribers.delete(connection);
    const hadState = entry.states.delete(connection);
    this.#dropEmpty(group);
    return hadState ? this.#item(connection, { state: null, now }) : null;
  }

  subscribers(group: GroupName): Iterable<Connection> {
    return this.#groups.get(group)?.subscribers ?? nobody;
  }

  /** The members that have a state, by connection id, not more than `limit`. */
  snapshot(group: GroupName, limit: number): readonly GroupStateItem[] {
    const items = [...(this.#groups.get(group)?.states.values() ?? [])];
    return items.sort((left, right) => (left.connectionId < right.connectionId ? -1 : 1)).slice(0, limit);
  }

  #item(
    connection: Connection,
    { state, now }: { readonly state: GroupState | null; readonly now: number },
  ): GroupStateItem {
    const updatedAt = Math.max(now, (this.#updatedAt.get(connection) ?? 0) + 1);
    this.#updatedAt.set(connection, updatedAt);
    return { connectionId: connection.id, userId: connection.userId, state, updatedAt };
  }

  #entry(group: GroupName): GroupEntry {
    const known = this.#groups.get(group);
    if (known !== undefined) return known;
    const created: GroupEntry = { states: new Map(), subscribers: new Set() };
    this.#groups.set(group, created);
    return created;
  }

  #dropEmpty(group: GroupName): void {
    const entry = this.#groups.get(group);
    if (entry?.states.size === 0 && entry.subscribers.size === 0) this.#groups.delete(group);
  }
}
