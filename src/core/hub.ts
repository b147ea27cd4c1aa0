import type { Connection, PushLimits } from "./connection.ts";
import { GroupStates } from "./group-states.ts";
import type { ConnectionId, GroupName, HubName, UserId } from "./names.ts";
import type { Encoder, Frame, GroupStateMessage, OutboundMessage } from "./outbound.ts";
import type { Publication, Target } from "./publication.ts";
import { SmallSet } from "./small-set.ts";

const nobody: readonly Connection[] = [];

/** A recipient that could not take a message, and which of its bounds was reached. */
export interface Refusal {
  readonly connection: Connection;
  readonly cause: "outboxFull" | "replayFull";
}

/**
 * The connections of one hub on this node, indexed both ways: group → members and connection → groups, so that leaving
 * costs O(own groups) (H-62). Groups and users exist through their connections only. Synchronous; no I/O.
 */
export class Hub {
  readonly name: HubName;
  readonly #connections = new Map<ConnectionId, Connection>();
  readonly #groups = new Map<GroupName, SmallSet<Connection>>();
  readonly #users = new Map<UserId, SmallSet<Connection>>();

  #states: GroupStates | null = null;

  constructor(name: HubName) {
    this.name = name;
  }

  /** What members say of themselves; created when it is first used. */
  get states(): GroupStates {
    return (this.#states ??= new GroupStates());
  }

  /** Whether anybody ever used `states`; most hubs do not, and leaving a group asks. */
  get hasStates(): boolean {
    return this.#states !== null;
  }

  get size(): number {
    return this.#connections.size;
  }

  connection(id: ConnectionId): Connection | undefined {
    return this.#connections.get(id);
  }

  /** Groups and how many members each has; safe to iterate like `select`. */
  groups(): Iterable<readonly [GroupName, { readonly size: number }]> {
    return this.#groups.entries();
  }

  /** The same for users and their connections. */
  users(): Iterable<readonly [UserId, { readonly size: number }]> {
    return this.#users.entries();
  }

  hasGroup(group: GroupName): boolean {
    return this.#groups.has(group);
  }

  hasUser(user: UserId): boolean {
    return this.#users.has(user);
  }

  register(connection: Connection): void {
    this.#connections.set(connection.id, connection);
    if (connection.userId !== null) addTo(this.#users, connection.userId, connection);
  }

  /** Removes the connection from every index and returns the groups it was in. */
  unregister(connection: Connection): Iterable<GroupName> {
    this.#connections.delete(connection.id);
    if (connection.userId !== null) removeFrom(this.#users, connection.userId, connection);
    const groups = connection.groups.values();
    for (const group of groups) removeFrom(this.#groups, group, connection);
    return groups;
  }

  /** Returns false if it was a member already (C-28). */
  join(connection: Connection, group: GroupName): boolean {
    if (!connection.groups.add(group)) return false;
    addTo(this.#groups, group, connection);
    return true;
  }

  /** Returns false if it was not a member (C-28). */
  leave(connection: Connection, group: GroupName): boolean {
    if (!connection.groups.delete(group)) return false;
    removeFrom(this.#groups, group, connection);
    return true;
  }

  /** The connections a target names now. Safe to iterate while connections come and go. */
  select(target: Target): Iterable<Connection> {
    switch (target.kind) {
      case "hub":
        return this.#connections.values();
      case "group":
        return this.#groups.get(target.group)?.values() ?? nobody;
      case "user":
        return this.#users.get(target.user)?.values() ?? nobody;
      case "connection": {
        const connection = this.#connections.get(target.id);
        return connection === undefined ? nobody : [connection];
      }
    }
  }

  /**
   * Members with an id above `after`, ordered by connection id, ordinal. One pass that keeps no more than a page:
   * sorting a big group for each of its pages would hold up everybody (H-61).
   */
  members(group: GroupName, after: string, limit: number): readonly Connection[] {
    const page: Connection[] = [];
    for (const member of this.#groups.get(group)?.values() ?? nobody) {
      if (member.id <= after) continue;
      const last = page[page.length - 1];
      if (page.length === limit && last !== undefined && member.id > last.id) continue;
      page.splice(placeOf(page, member.id), 0, member);
      if (page.length > limit) page.pop();
    }
    return page;
  }

  /** The connections of this node that a publication is for, for whoever watches; `deliver` finds them itself. */
  *recipients({ target, excluded, filter }: Publication): Generator<Connection> {
    for (const connection of this.select(target)) {
      if (excluded?.has(connection.id) !== true && filter?.matches(connection) !== false) yield connection;
    }
  }

  /**
   * Queues a publication for each of its recipients on this node, encoding it once per wire format. Returns the
   * connections that could not take it, for the caller to end; null when there were none.
   */
  deliver(publication: Publication, limits: PushLimits): Refusal[] | null {
    const { excluded, filter, expiresAt } = publication;
    const message = outboundMessage(publication);
    let refused: Refusal[] | null = null;
    // Nearly every fan-out has one wire format: remember the last one, keep the others in a map.
    let encoder: Encoder | null = null;
    let frame: Frame | null = null;
    let others: Map<Encoder, Frame | null> | null = null;
    for (const connection of this.select(publication.target)) {
      if (excluded !== null && excluded.has(connection.id)) continue;
      if (filter !== null && !filter.matches(connection)) continue;
      const wanted = connection.format.encoder;
      if (wanted !== encoder) {
        if (encoder !== null) others = (others ?? new Map<Encoder, Frame | null>()).set(encoder, frame);
        frame = others?.get(wanted) ?? wanted.message(message);
        encoder = wanted;
      }
      if (frame === null) continue;
      const cause = connection.push(frame, expiresAt, limits);
      if (cause !== null) (refused ??= []).push({ connection, cause });
    }
    return refused;
  }
}

/**
 * Queues group states for the connections that want to know; as `deliver`, but there are few of them and nearly always of
 * one wire format.
 */
export function deliverGroupState(
  recipients: Iterable<Connection>,
  message: GroupStateMessage,
  limits: PushLimits,
): Refusal[] | null {
  let refused: Refusal[] | null = null;
  const frames = new Map<Encoder, Frame | null>();
  for (const connection of recipients) {
    if (!connection.isOpen) continue;
    const { encoder } = connection.format;
    const frame = frames.get(encoder) ?? encoder.groupState(message);
    if (frame === null) continue;
    frames.set(encoder, frame);
    const cause = connection.push(frame, null, limits);
    if (cause !== null) (refused ??= []).push({ connection, cause });
  }
  return refused;
}

/** What recipients see of a publication: only group messages name the group and its sender (rest-api 7.1). */
function outboundMessage({ target, from, payload, metadata, stream }: Publication): OutboundMessage {
  if (target.kind !== "group") return { from: { kind: "server" }, payload, metadata, stream };
  const fromUserId = from.kind === "connection" ? from.user : undefined;
  return { from: { kind: "group", group: target.group, fromUserId }, payload, metadata, stream };
}

function addTo<Key>(index: Map<Key, SmallSet<Connection>>, key: Key, connection: Connection): void {
  const entry = index.get(key);
  if (entry !== undefined) {
    entry.add(connection);
    return;
  }
  const created = new SmallSet<Connection>();
  created.add(connection);
  index.set(key, created);
}

function removeFrom<Key>(index: Map<Key, SmallSet<Connection>>, key: Key, connection: Connection): void {
  const entry = index.get(key);
  if (entry === undefined) return;
  entry.delete(connection);
  if (entry.size === 0) index.delete(key);
}

/** Where an id belongs in a page that is sorted by id. */
function placeOf(page: readonly Connection[], id: ConnectionId): number {
  let low = 0;
  let high = page.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((page[middle]?.id ?? id) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
