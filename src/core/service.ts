import type { ConnectionInit } from "./connection.ts";
import { Connection } from "./connection.ts";
import type { Ending, EndingCause } from "./endings.ts";
import { endings } from "./endings.ts";
import { Hub } from "./hub.ts";
import { KeepAlive } from "./keep-alive.ts";
import type { Limits } from "./limits.ts";
import type { GroupName, HubName } from "./names.ts";
import { ownerOf } from "./node-id.ts";
import type {
  BulkMembershipRequest,
  CloseRequest,
  ListRequest,
  Member,
  MembershipRequest,
  NodeAnswer,
  NodeCommand,
  Operations,
  PermissionRequest,
  Subject,
} from "./operations.ts";
import type { OutboundControl } from "./outbound.ts";
import { Flusher } from "./outbox.ts";
import type { Backplane, Clock, FrameSink, Scheduler, Telemetry, Upstream } from "./ports.ts";
import type { Publication } from "./publication.ts";

/** The ports of a service and its settings; `limits` and `keepAliveSeconds` are read at each use, so that they can change. */
export interface ServiceOptions {
  readonly nodeId: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly backplane: Backplane;
  readonly upstream: Upstream;
  readonly telemetry: Telemetry;
  limits(): Limits;
  keepAliveSeconds(hub: HubName): number;
}

const done: NodeAnswer = { kind: "outcome", outcome: "done" };
const unknown: NodeAnswer = { kind: "outcome", outcome: "unknown" };
const denied: NodeAnswer = { kind: "outcome", outcome: "denied" };

/**
 * One Web PubSub service on this node: its hubs, the life of its connections, and the operations on them. Several can
 * live in one process; nothing is global.
 */
export class Service implements Operations {
  readonly #options: ServiceOptions;
  readonly #hubs = new Map<HubName, Hub>();
  readonly #flusher: Flusher;
  readonly #keepAlive: KeepAlive;
  #connections = 0;
  #reserved = 0;
  #closing = 0;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#flusher = new Flusher(options.scheduler, options.clock);
    this.#keepAlive = new KeepAlive({
      scheduler: options.scheduler,
      intervalSeconds: (connection) => options.keepAliveSeconds(connection.hub),
      timedOut: (connection) => this.end(connection, "pingTimeout"),
    });
  }

  get connectionCount(): number {
    return this.#connections;
  }

  /** Connections that are over but whose sockets still have to take what is queued for them. */
  get closingCount(): number {
    return this.#closing;
  }

  get limits(): Limits {
    return this.#options.limits();
  }

  /** Takes a place for a connection whose handshake is under way; false: the quota is used up (M-44). */
  reserve(): boolean {
    const { maxConnections } = this.limits;
    if (maxConnections > 0 && this.#connections + this.#reserved >= maxConnections) return false;
    this.#reserved += 1;
    return true;
  }

  /** Gives the place back of a handshake that came to nothing. */
  release(): void {
    this.#reserved -= 1;
  }

  /**
   * Opens a connection on a reserved place: from here on it is visible, member of its initial groups, and its first
   * frame is `connected` (C-24, C-25).
   */
  open(init: ConnectionInit, sink: FrameSink): Connection {
    this.#reserved -= 1;
    const { telemetry, upstream } = this.#options;
    const connection = new Connection(init, sink, this.#flusher);
    this.pushControl(connection, { kind: "connected", connectionId: connection.id, userId: connection.userId });
    const hub = this.#hub(init.hub);
    hub.register(connection);
    for (const group of init.groups) hub.join(connection, group);
    this.#connections += 1;
    this.#keepAlive.add(connection);
    telemetry.connectionOpened(connection);
    upstream.connected(connection);
    if (upstream.wantsPresence(init.hub)) {
      for (const group of connection.groups.values()) upstream.presence(connection, "joined", group);
    }
    return connection;
  }

  /** Ends a connection for a reason of the service's own; does nothing if it is over already. */
  end(connection: Connection, cause: EndingCause, text: string | null = null): void {
    this.#end(connection, { cause, text, closeReason: endings[cause].reason });
  }

  #end(
    connection: Connection,
    {
      cause,
      text,
      closeReason,
    }: { readonly cause: EndingCause; readonly text: string | null; readonly closeReason: string },
  ): void {
    if (!connection.isOpen) return;
    const row = endings[cause];
    this.#retire(connection, { by: "service", cause, text });
    if (row.announce) this.pushControl(connection, { kind: "disconnected", message: text ?? row.reason });
    if (row.code === null) {
      connection.sink.abort();
      return;
    }
    // A client that does not read must not hold the socket for ever (client-protocols 11).
    this.#closing += 1;
    connection.cancelAbort = this.#options.scheduler.after(this.limits.closeDrainMs, () => connection.sink.abort());
    connection.outbox.close(row.code, closeReason);
  }

  /** The socket of a connection closed. */
  socketClosed(connection: Connection, code: number, reason: string): void {
    if (connection.cancelAbort !== null) {
      connection.cancelAbort();
      connection.cancelAbort = null;
      this.#closing -= 1;
    }
    if (connection.isOpen) this.#retire(connection, { by: "socket", code, reason });
    connection.outbox.discard();
  }

  /** Takes a connection out of everything: nobody can see or reach it when this returns. */
  #retire(connection: Connection, ending: Ending): void {
    const { telemetry, upstream } = this.#options;
    connection.isOpen = false;
    connection.pendingEvent?.abort();
    this.#keepAlive.remove(connection);
    const hub = this.#hub(connection.hub);
    const groups = hub.unregister(connection);
    if (hub.size === 0) this.#hubs.delete(hub.name);
    this.#connections -= 1;
    telemetry.connectionEnded(connection, ending);
    if (upstream.wantsPresence(hub.name)) for (const group of groups) upstream.presence(connection, "left", group);
    upstream.disconnected(connection, disconnectedReason(ending));
  }

  /** A frame, ping or pong of the client arrived. */
  heard(connection: Connection): void {
    this.#keepAlive.heard(connection);
  }

  /** Queues a control message; a full outbox ends the connection. */
  pushControl(connection: Connection, control: OutboundControl): void {
    if (!connection.pushControl(control, this.limits.outboundQueue)) this.end(connection, "outboxFull");
  }

  join(connection: Connection, group: GroupName): void {
    if (!connection.isOpen || !this.#hub(connection.hub).join(connection, group)) return;
    const { upstream } = this.#options;
    if (upstream.wantsPresence(connection.hub)) upstream.presence(connection, "joined", group);
  }

  leave(connection: Connection, group: GroupName): void {
    if (!connection.isOpen || !this.#hub(connection.hub).leave(connection, group)) return;
    const { upstream } = this.#options;
    if (upstream.wantsPresence(connection.hub)) upstream.presence(connection, "left", group);
  }

  publish(publication: Publication): "done" | Promise<"done" | "down"> {
    this.deliver(publication);
    return this.#options.backplane.publish(publication);
  }

  /** Delivers a publication to the recipients of this node only; what arrives over the backplane enters here. */
  deliver(publication: Publication): void {
    const refused = this.#hubs.get(publication.hub)?.deliver(publication, this.limits.outboundQueue);
    if (refused) for (const connection of refused) this.end(connection, "outboxFull");
  }

  async exists(hub: HubName, subject: Subject): Promise<"yes" | "no" | "down"> {
    const command: NodeCommand = { kind: "exists", hub, subject };
    const answers =
      subject.kind === "connection" ? await this.#onOwner(subject.id, command) : await this.#onAll(command);
    if (answers === "down") return "down";
    return answers.some(isDone) ? "yes" : "no";
  }

  async changeMembership(request: MembershipRequest): Promise<"done" | "unknown" | "down"> {
    const command: NodeCommand = { kind: "membership", ...request };
    const { subject } = request;
    const answers =
      subject.kind === "connection" ? await this.#onOwner(subject.id, command) : await this.#onAll(command);
    if (answers === "down") return "down";
    return answers.some(isDone) ? "done" : "unknown";
  }

  async changeMembershipWhere(request: BulkMembershipRequest): Promise<"done" | "down"> {
    const answers = await this.#onAll({ kind: "membershipWhere", ...request });
    return answers === "down" ? "down" : "done";
  }

  async permission(request: PermissionRequest): Promise<"done" | "unknown" | "denied" | "conflict" | "down"> {
    const answers = await this.#onOwner(request.id, { kind: "permission", ...request });
    if (answers === "down") return "down";
    const [answer] = answers;
    return answer?.kind === "outcome" ? answer.outcome : "unknown";
  }

  async closeConnections(request: CloseRequest): Promise<"done" | "down"> {
    const command: NodeCommand = { kind: "close", ...request };
    const { target } = request;
    const answers = target.kind === "connection" ? await this.#onOwner(target.id, command) : await this.#onAll(command);
    return answers === "down" ? "down" : "done";
  }

  async listMembers(request: ListRequest): Promise<readonly Member[] | "down"> {
    const answers = await this.#onAll({ kind: "list", ...request });
    if (answers === "down") return "down";
    if (answers.length === 1 && answers[0]?.kind === "members") return answers[0].members;
    const merged = answers.flatMap((answer) => (answer.kind === "members" ? answer.members : []));
    return merged.sort((left, right) => (left.connectionId < right.connectionId ? -1 : 1)).slice(0, request.limit);
  }

  /** Does this node's part of an operation, on its own connections. */
  perform(command: NodeCommand): NodeAnswer {
    const hub = this.#hubs.get(command.hub);
    if (hub === undefined) return command.kind === "list" ? { kind: "members", members: [] } : unknown;
    switch (command.kind) {
      case "exists":
        return exists(hub, command.subject) ? done : unknown;
      case "membership":
        return this.#changeMembershipHere(hub, command);
      case "membershipWhere": {
        const { filter, groups, change } = command;
        const selected = [...hub.select({ kind: "hub" })].filter(
          (connection) => filter === null || filter.matches(connection),
        );
        for (const connection of selected) for (const group of groups) this.#changeGroup(connection, change, group);
        return done;
      }
      case "permission":
        return this.#permissionHere(hub, command);
      case "close":
        this.#closeHere(hub, command);
        return done;
      case "list": {
        const members = hub.members(command.group, command.after, command.limit);
        return { kind: "members", members: members.map(({ id, userId }) => ({ connectionId: id, userId })) };
      }
    }
  }

  /** Ends every connection; new ones are the caller's business to refuse. */
  endAll(cause: EndingCause): void {
    for (const hub of [...this.#hubs.values()]) {
      for (const connection of [...hub.select({ kind: "hub" })]) this.end(connection, cause);
    }
  }

  /** Stops the timers; connections that are still open are no longer looked after. */
  close(): void {
    this.#keepAlive.close();
  }

  #hub(name: HubName): Hub {
    const known = this.#hubs.get(name);
    if (known !== undefined) return known;
    const created = new Hub(name);
    this.#hubs.set(name, created);
    return created;
  }

  async #onOwner(id: Connection["id"], command: NodeCommand): Promise<readonly NodeAnswer[] | "down"> {
    const owner = ownerOf(id);
    if (owner === this.#options.nodeId) return [this.perform(command)];
    const answer = await this.#options.backplane.ask(owner, command);
    return answer === "down" ? "down" : [answer];
  }

  async #onAll(command: NodeCommand): Promise<readonly NodeAnswer[] | "down"> {
    const here = this.perform(command);
    const elsewhere = await this.#options.backplane.askAll(command);
    return elsewhere === "down" ? "down" : [here, ...elsewhere];
  }

  #changeMembershipHere(hub: Hub, { subject, change, group }: MembershipRequest): NodeAnswer {
    const target = subject.kind === "user" ? subject : ({ kind: "connection", id: subject.id } as const);
    const connections = [...hub.select(target)];
    for (const connection of connections) {
      if (group !== null) this.#changeGroup(connection, change, group);
      else for (const each of [...connection.groups.values()]) this.leave(connection, each);
    }
    return connections.length > 0 ? done : unknown;
  }

  #changeGroup(connection: Connection, change: "add" | "remove", group: GroupName): void {
    if (change === "add") this.join(connection, group);
    else this.leave(connection, group);
  }

  #permissionHere(hub: Hub, { id, change, action, group }: PermissionRequest): NodeAnswer {
    const permissions = hub.connection(id)?.permissions;
    if (permissions === undefined) return unknown;
    if (change === "check") {
      const isAllowed = group === null ? permissions.allowsEveryGroup(action) : permissions.allows(action, group);
      return isAllowed ? done : denied;
    }
    const outcome = permissions.set({ action, group, wanted: change === "grant" }, this.limits.permissionLiterals);
    return { kind: "outcome", outcome };
  }

  #closeHere(hub: Hub, { target, excluded, reason }: CloseRequest): void {
    const text =
      reason === ""
        ? "Application server closed the connection."
        : `Application server closed the connection. Reason: ${reason}`;
    for (const connection of [...hub.select(target)]) {
      if (excluded !== null && excluded.has(connection.id)) continue;
      // A simple client has no `disconnected` message, so the reason goes into its close frame (client-protocols 11).
      const closeReason = connection.format.answersFaults ? endings.closedByServer.reason : truncateReason(reason);
      this.#end(connection, { cause: "closedByServer", text, closeReason });
    }
  }
}

function exists(hub: Hub, subject: Subject): boolean {
  switch (subject.kind) {
    case "connection":
      return hub.connection(subject.id) !== undefined;
    case "group":
      return hub.hasGroup(subject.group);
    case "user":
      return hub.hasUser(subject.user);
  }
}

function isDone(answer: NodeAnswer): boolean {
  return answer.kind === "outcome" && answer.outcome === "done";
}

/** The `reason` of the `disconnected` event (event-handlers 6.3). */
function disconnectedReason(ending: Ending): string {
  if (ending.by === "service") {
    const { reason } = endings[ending.cause];
    return reason === "" ? (ending.text ?? "") : reason;
  }
  return ending.reason === "" && ending.code === 1006 ? "The connection was lost." : ending.reason;
}

const maxReasonBytes = 123;

/** Cuts a text to what fits a close frame, between two characters. */
function truncateReason(text: string): string {
  let bytes = 0;
  let end = 0;
  for (const char of text) {
    const point = char.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x1_0000 ? 3 : 4;
    if (bytes > maxReasonBytes) break;
    end += char.length;
  }
  return text.slice(0, end);
}
