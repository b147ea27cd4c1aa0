import type { Connection } from "./connection.ts";
import type { GroupState, GroupStateItem } from "./group-state.ts";
import type { GroupName } from "./names.ts";

interface Room {
  readonly states: Map<Connection, GroupStateItem>;
  readonly subscribers: Set<Connection>;
}

const nobody: readonly Connection[] = [];

/**
 * What the members of the groups of one hub say of themselves, and who wants to know (client-protocols 7.3). Groups that
 * nobody uses this for have no entry. The caller sees to it that only members are in here.
 */
export class GroupStates {
  readonly #rooms = new Map<GroupName, Room>();
  readonly #updatedAt = new WeakMap<Connection, number>();

  /** Replaces the state of a member; null clears it. Returns what subscribers are told. */
  set(
    connection: Connection,
    group: GroupName,
    change: { readonly state: GroupState | null; readonly now: number },
  ): GroupStateItem {
    const item = this.#item(connection, change);
    if (change.state !== null) this.#room(group).states.set(connection, item);
    else {
      this.#rooms.get(group)?.states.delete(connection);
      this.#dropEmpty(group);
    }
    return item;
  }

  subscribe(connection: Connection, group: GroupName): void {
    this.#room(group).subscribers.add(connection);
  }

  unsubscribe(connection: Connection, group: GroupName): void {
    this.#rooms.get(group)?.subscribers.delete(connection);
    this.#dropEmpty(group);
  }

  /** Forgets a member that left. Returns what the other subscribers are told; null when it had no state. */
  left(connection: Connection, group: GroupName, now: number): GroupStateItem | null {
    const room = this.#rooms.get(group);
    if (room === undefined) return null;
    room.subscribers.delete(connection);
    const hadState = room.states.delete(connection);
    this.#dropEmpty(group);
    return hadState ? this.#item(connection, { state: null, now }) : null;
  }

  subscribers(group: GroupName): Iterable<Connection> {
    return this.#rooms.get(group)?.subscribers ?? nobody;
  }

  /** The members that have a state, by connection id, not more than `limit`. */
  snapshot(group: GroupName, limit: number): readonly GroupStateItem[] {
    const items = [...(this.#rooms.get(group)?.states.values() ?? [])];
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

  #room(group: GroupName): Room {
    const known = this.#rooms.get(group);
    if (known !== undefined) return known;
    const room: Room = { states: new Map(), subscribers: new Set() };
    this.#rooms.set(group, room);
    return room;
  }

  #dropEmpty(group: GroupName): void {
    const room = this.#rooms.get(group);
    if (room?.states.size === 0 && room.subscribers.size === 0) this.#rooms.delete(group);
  }
}
