import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import type { ConnectionId, GroupName, HubName, UserId } from "./names.ts";
import { type Collected, PageCollector } from "./page-collector.ts";
import type { Clock, Scheduler } from "./ports.ts";
import type { RecentError } from "./recent-errors.ts";
import type { Service } from "./service.ts";

/** How long one slice of a search may keep the event loop; a quarter of what H-61 allows. */
const sliceMs = 5;
const itemsPerClockCheck = 256;
const maxGroupNames = 1000;

/** Where a page ends: the hub and the connection id, group or user that was last in it. */
export interface Cursor {
  readonly hub: string;
  readonly name: string;
}

/** What of a list is wanted. */
export interface ListQuery {
  /** null: all hubs. */
  readonly hub: HubName | null;
  /** Part of the name, ignoring case; empty: all. */
  readonly search: string;
  /** Longest page, at least 1. */
  readonly top: number;
  /** null: the first page. */
  readonly after: Cursor | null;
}

export interface ConnectionQuery extends ListQuery {
  /** null: whatever groups they are in. */
  readonly group: GroupName | null;
  /** null: whoever they are of. */
  readonly user: UserId | null;
}

/** One page in the order of hub and name, which is that of UTF-16 units and does not change. */
export interface Page<Row> {
  readonly value: readonly Row[];
  /** How many there are on all pages. */
  readonly total: number;
  readonly next: Cursor | null;
}

/** What waits to be sent or confirmed; bytes are UTF-16 units where it is text. */
export interface Backlog {
  readonly messages: number;
  readonly bytes: number;
}

export interface ConnectionRow {
  readonly connectionId: ConnectionId;
  readonly hub: HubName;
  readonly userId: UserId | null;
  readonly protocol: string | null;
  readonly callerIpAddress: string;
  readonly groups: number;
  /** Whether it waits for its client to come back. */
  readonly isDetached: boolean;
  /** `messages`: not yet given to the socket; `bytes`: those, and what the socket has taken and not sent. */
  readonly queue: Backlog;
}

/** Everything there is to know of one connection. */
export interface ConnectionDetails extends ConnectionRow {
  /** The first of its groups. */
  readonly groupNames: readonly GroupName[];
  /** As the role strings that grant them. */
  readonly permissions: readonly string[];
  /** As the role strings that would grant them: taken away by REST, whatever the others say. */
  readonly revokedPermissions: readonly string[];
  /** What a reliable client has not confirmed; null for any other. */
  readonly replay: Backlog | null;
  /** Requests that were refused, the latest first. */
  readonly recentErrors: readonly RecentError[];
}

/** A group or a user, which there is as long as it has connections. */
export interface NameRow {
  readonly hub: HubName;
  readonly name: string;
  readonly connections: number;
}

/** What an inspector looks at. */
export interface InspectorParts {
  readonly service: Service;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** What is listed, one item of a hub at a time. */
interface Listing<Item> {
  items(hub: Hub): Iterable<Item>;
  nameOf(item: Item): string;
  matches(item: Item, search: string): boolean;
}

/**
 * Looks at the connections of this node for an operator. A list is made in one pass that keeps no more than a page and gives
 * the event loop back every few milliseconds. What is there during all of a pass is in it exactly once; what comes and goes
 * meanwhile may or may not be. Costs nothing while nobody asks.
 */
export class Inspector {
  readonly #parts: InspectorParts;

  constructor(parts: InspectorParts) {
    this.#parts = parts;
  }

  /** Connections of each hub that has any. */
  connectionsByHub(): ReadonlyMap<HubName, number> {
    const { hubs } = this.#parts.service;
    return new Map([...hubs.values()].filter(({ size }) => size > 0).map((hub) => [hub.name, hub.size]));
  }

  /** Connections by id; the search looks at connection id and user id. */
  async connections(query: ConnectionQuery): Promise<Page<ConnectionRow>> {
    const found = await this.#collect<Connection>(query, {
      items: (hub) => connectionsOf(hub, query),
      nameOf: ({ id }) => id,
      matches: ({ id, userId }, search) => includes(id, search) || (userId !== null && includes(userId, search)),
    });
    // Some may have ended during the pass.
    return pageOf(found, (connection) => (connection.isOpen ? rowOf(connection) : null));
  }

  /** One connection; null when there is none with this id. */
  connection(hub: HubName, id: ConnectionId): ConnectionDetails | null {
    const { service } = this.#parts;
    const connection = service.hubs.get(hub)?.connection(id);
    if (connection === undefined) return null;
    const { replay, permissions } = connection;
    const { granted, revoked } = permissions.roles();
    return {
      ...rowOf(connection),
      groupNames: [...connection.groups.values()].slice(0, maxGroupNames),
      permissions: granted,
      revokedPermissions: revoked,
      replay: replay === null ? null : { messages: replay.length, bytes: replay.size },
      recentErrors: service.recentErrors.of(id),
    };
  }

  groups(query: ListQuery): Promise<Page<NameRow>> {
    return this.#names(query, (hub) => hub.groups());
  }

  users(query: ListQuery): Promise<Page<NameRow>> {
    return this.#names(query, (hub) => hub.users());
  }

  async #names(query: ListQuery, items: (hub: Hub) => Iterable<NameEntry>): Promise<Page<NameRow>> {
    const found = await this.#collect<NameEntry>(query, {
      items,
      nameOf: ([name]) => name,
      matches: ([name], search) => includes(name, search),
    });
    return pageOf(found, ([name, { size }], hub) => (size === 0 ? null : { hub, name, connections: size }));
  }

  async #collect<Item>(query: ListQuery, listing: Listing<Item>): Promise<Collected<Item>> {
    const { service, clock, scheduler } = this.#parts;
    const search = query.search.toLowerCase();
    const page = new PageCollector<Item>(query.top, query.after);
    let sliceStart = clock.now();
    let seen = 0;
    for (const hub of query.hub === null ? service.hubs.values() : only(service.hubs.get(query.hub))) {
      seen += 1;
      for (const item of listing.items(hub)) {
        seen += 1;
        if (seen % itemsPerClockCheck === 0 && clock.now() - sliceStart >= sliceMs) {
          await new Promise<void>((resolve) => scheduler.afterTurn(resolve));
          sliceStart = clock.now();
        }
        if (search === "" || listing.matches(item, search)) page.offer(hub.name, listing.nameOf(item), item);
      }
    }
    return page.result();
  }
}

type NameEntry = readonly [name: string, connections: { readonly size: number }];

/** Of a user in a group: there are few connections of one user, and there may be many in one group. */
function connectionsOf(hub: Hub, { user, group }: ConnectionQuery): Iterable<Connection> {
  if (user === null) return hub.select(group === null ? { kind: "hub" } : { kind: "group", group });
  const own = hub.select({ kind: "user", user });
  return group === null ? own : [...own].filter(({ groups }) => groups.has(group));
}

function rowOf(connection: Connection): ConnectionRow {
  const { id, hub, userId, subprotocol, callerAddress, groups, isDetached, outbox, sink } = connection;
  return {
    connectionId: id,
    hub,
    userId,
    protocol: subprotocol,
    callerIpAddress: callerAddress,
    groups: groups.size,
    isDetached,
    queue: isDetached
      ? { messages: 0, bytes: 0 }
      : { messages: outbox.length, bytes: outbox.size + sink.bufferedBytes },
  };
}

function pageOf<Item, Row>(
  { items, total, hasMore }: Collected<Item>,
  toRow: (item: Item, hub: HubName) => Row | null,
): Page<Row> {
  const last = items.at(-1);
  return {
    value: items.map(({ hub, item }) => toRow(item, hub)).filter((row) => row !== null),
    total,
    next: hasMore && last !== undefined ? { hub: last.hub, name: last.name } : null,
  };
}

function includes(text: string, search: string): boolean {
  return text.toLowerCase().includes(search);
}

function only<T>(item: T | undefined): readonly T[] {
  return item === undefined ? [] : [item];
}
