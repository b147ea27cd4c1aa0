import type { ConnectionInit, PushLimits } from "./connection.ts";
import { Connection } from "./connection.ts";
import { DeliveryWatch } from "./delivery-watch.ts";
import type { Ending, EndingCause } from "./endings.ts";
import { endings } from "./endings.ts";
import { Farewells } from "./farewells.ts";
import type { GroupState, GroupStateItem } from "./group-state.ts";
import { deliverGroupState, Hub, type Refusal } from "./hub.ts";
import { KeepAlive } from "./keep-alive.ts";
import type { Limits } from "./limits.ts";
import type { MessageTrace } from "./message-trace.ts";
import type { ConnectionId, GroupName, HubName } from "./names.ts";
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
import type { GroupStateMessage, OutboundControl, OutboundMessage } from "./outbound.ts";
import { Flusher, Outbox } from "./outbox.ts";
import type { Backplane, Clock, FrameSink, MessageTelemetry, Scheduler, Telemetry, Upstream } from "./ports.ts";
import type { Publication } from "./publication.ts";
import { RecentErrors } from "./recent-errors.ts";
import type { ReplayTotals } from "./replay-buffer.ts";
import { Streams } from "./streams.ts";
import { truncateUtf8 } from "./utf8.ts";

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
  /** Proof that a client may recover a connection; URL-safe (C-70). */
  reconnectionToken(id: ConnectionId): string;
}

/** A close frame has room for 125 bytes, code included. */
const maxReasonBytes = 123;
const unbounded = { messages: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
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
  readonly #deliveries: DeliveryWatch;
  readonly #keepAlive: KeepAlive;
  #connections = 0;
  #reserved = 0;
  #closing = 0;
  #detached = 0;
  readonly #replays: ReplayTotals = { messages: 0, bytes: 0 };
  readonly #farewells = new Farewells();
  readonly recentErrors: RecentErrors;
  readonly #now = (): number => this.#options.clock.now();

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.recentErrors = new RecentErrors(options.clock);
    this.#flusher = new Flusher(options.scheduler, options.clock);
    this.#deliveries = new DeliveryWatch(this.#flusher, options);
    this.#keepAlive = new KeepAlive({
      scheduler: options.scheduler,
      intervalSeconds: (connection) => options.keepAliveSeconds(connection.hub),
      timedOut: (connection) => this.#timedOut(connection),
    });
  }

  get connectionCount(): number {
    return this.#connections;
  }

  /** What is here now; to be looked at only. */
  get hubs(): ReadonlyMap<HubName, Hub> {
    return this.#hubs;
  }

  /** Connections that are over but whose sockets still have to take what is queued for them. */
  get closingCount(): number {
    return this.#closing;
  }

  /** Reliable connections whose clients are gone for the moment, and what is kept for all reliable ones. */
  get reliableState(): { readonly detached: number } & Readonly<ReplayTotals> {
    return { detached: this.#detached, ...this.#replays };
  }

  /** Null unless somebody wants to know of single messages. */
  get messages(): MessageTelemetry | null {
    return this.#options.telemetry.messages;
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
    const connection = new Connection(init, sink, { flusher: this.#flusher, replays: this.#replays });
    this.#pushConnected(connection);
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

  /** Tells a client who it is; the token is renewed with every `connected` (client-protocols 8.1). */
  #pushConnected(connection: Connection): void {
    const { id, userId, replay } = connection;
    const reconnectionToken = replay === null ? null : this.#options.reconnectionToken(id);
    this.pushControl(connection, { kind: "connected", connectionId: id, userId, reconnectionToken });
  }

  /** The connection that a recovery names, if it is there to be recovered (client-protocols 8.4). */
  recoverable(hub: HubName, id: ConnectionId): Connection | null {
    const connection = this.#hubs.get(hub)?.connection(id);
    return connection === undefined || connection.replay === null ? null : connection;
  }

  /**
   * Gives a reliable connection a new socket: an old one that is still attached is cut, then come `connected`, everything
   * unconfirmed and live traffic, in this order (C-76, C-78). False: it is over by now.
   */
  attach(connection: Connection, sink: FrameSink): boolean {
    const { replay } = connection;
    const { stamp } = connection.format.encoder;
    if (!connection.isOpen || replay === null || stamp === null) return false;
    if (!connection.isDetached) {
      const old = connection.sink;
      connection.outbox.discard();
      connection.sink = sink;
      old.abort();
      this.#keepAlive.remove(connection);
    } else {
      this.#endDetachment(connection);
      connection.sink = sink;
    }
    connection.outbox = new Outbox(this.#flusher, sink);
    connection.streams?.recovered();
    this.#keepAlive.add(connection);
    this.#pushConnected(connection);
    replay.replay(this.#options.clock.now(), (frame, sequenceId, expiresAt) => {
      // The socket may fill up meanwhile; a refused message would be a gap, and the replay buffer has bounds of its own.
      connection.outbox.push(stamp(frame, sequenceId), expiresAt, unbounded);
    });
    return true;
  }

  /** Leaves a reliable connection without a socket and gives its client time to come back (C-80, C-83). */
  #detach(connection: Connection): void {
    connection.outbox.discard();
    this.#keepAlive.remove(connection);
    this.#detached += 1;
    connection.cancelExpiry = this.#options.scheduler.after(this.limits.reliable.recoveryMs, () =>
      this.end(connection, "recoveryTimeout"),
    );
  }

  #endDetachment(connection: Connection): void {
    if (connection.cancelExpiry === null) return;
    connection.cancelExpiry();
    connection.cancelExpiry = null;
    this.#detached -= 1;
  }

  #timedOut(connection: Connection): void {
    // The client of a reliable connection may come back on another network (client-protocols 8.4).
    if (connection.replay !== null) connection.sink.abort();
    else this.end(connection, "pingTimeout");
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
    const wasDetached = connection.isDetached;
    this.#retire(connection, { by: "service", cause, text });
    if (wasDetached) return;
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

  /** The socket of a connection closed; one that a recovery replaced is not its socket any more. */
  socketClosed(connection: Connection, code: number, reason: string): void {
    if (connection.isOpen && connection.replay !== null && isRetained(code)) {
      this.#detach(connection);
      return;
    }
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
    connection.abortEvents();
    this.#endDetachment(connection);
    connection.replay?.clear();
    this.#keepAlive.remove(connection);
    const hub = this.#hub(connection.hub);
    const groups = hub.unregister(connection);
    if (hub.size === 0) this.#hubs.delete(hub.name);
    this.#connections -= 1;
    telemetry.connectionEnded(connection, ending);
    if (upstream.wantsPresence(hub.name)) for (const group of groups) upstream.presence(connection, "left", group);
    upstream.disconnected(connection, disconnectedReason(ending));
    this.#bidFarewell(hub, connection, groups);
  }

  /** Tells the others what goes with a connection: its group states and its streams. */
  #bidFarewell(hub: Hub, connection: Connection, groups: Iterable<GroupName>): void {
    const cleared: { readonly group: GroupName; readonly item: GroupStateItem }[] = [];
    if (hub.hasStates) {
      for (const group of groups) {
        const item = hub.states.left(connection, group, this.#now());
        if (item !== null) cleared.push({ group, item });
      }
    }
    const { streams } = connection;
    if (cleared.length === 0 && streams === null) return;
    this.#farewells.add(() => {
      for (const { group, item } of cleared) this.#pushGroupUpdate(hub, group, item);
      streams?.cancel();
    });
  }

  /** A frame, ping or pong of the client arrived. */
  heard(connection: Connection): void {
    this.#keepAlive.heard(connection);
  }

  /** Queues a control message; a full outbox ends the connection. */
  pushControl(connection: Connection, control: OutboundControl): void {
    if (connection.isDetached) return;
    if (!connection.pushControl(control, this.limits.outboundQueue)) this.end(connection, "outboxFull");
  }

  join(connection: Connection, group: GroupName): void {
    if (!connection.isOpen || !this.#hub(connection.hub).join(connection, group)) return;
    const { upstream } = this.#options;
    this.messages?.groupChanged(connection, "joined", group);
    if (upstream.wantsPresence(connection.hub)) upstream.presence(connection, "joined", group);
  }

  leave(connection: Connection, group: GroupName): void {
    if (!connection.isOpen) return;
    const hub = this.#hub(connection.hub);
    if (!hub.leave(connection, group)) return;
    const { upstream } = this.#options;
    this.messages?.groupChanged(connection, "left", group);
    if (upstream.wantsPresence(connection.hub)) upstream.presence(connection, "left", group);
    const item = hub.hasStates ? hub.states.left(connection, group, this.#now()) : null;
    if (item !== null) this.#pushGroupUpdate(hub, group, item);
  }

  /** Replaces the state of a member and tells the members that subscribed (C-100). */
  setGroupState(connection: Connection, group: GroupName, state: GroupState | null): void {
    const hub = this.#hub(connection.hub);
    this.#pushGroupUpdate(hub, group, hub.states.set(connection, group, { state, now: this.#now() }));
  }

  /** Tells a member of every change from now on; `pushGroupSnapshot` is how it begins. */
  subscribeGroupState(connection: Connection, group: GroupName): void {
    this.#hub(connection.hub).states.subscribe(connection, group);
  }

  unsubscribeGroupState(connection: Connection, group: GroupName): void {
    this.#hub(connection.hub).states.unsubscribe(connection, group);
  }

  pushGroupSnapshot(connection: Connection, group: GroupName): void {
    const items = this.#hub(connection.hub).states.snapshot(group, this.limits.groupState.items);
    this.#pushGroupState([connection], { kind: "snapshot", group, items });
  }

  #pushGroupUpdate(hub: Hub, group: GroupName, item: GroupStateItem): void {
    this.#pushGroupState(hub.states.subscribers(group), { kind: "update", group, items: [item] });
  }

  #pushGroupState(recipients: Iterable<Connection>, message: GroupStateMessage): void {
    this.#endRefused(deliverGroupState(recipients, message, this.#pushLimits()));
  }

  /** The streams that a connection publishes. */
  streamsOf(connection: Connection): Streams {
    const { clock, scheduler } = this.#options;
    return (connection.streams ??= new Streams(connection, {
      clock,
      scheduler,
      maxOpen: () => this.limits.openStreams,
      publish: (publication) => this.publish(publication),
      tell: (control) => this.pushControl(connection, control),
    }));
  }

  publish(publication: Publication): "done" | Promise<"done" | "down"> {
    this.deliver(publication);
    return this.#options.backplane.publish(publication);
  }

  /** Delivers a publication to the recipients of this node only; what arrives over the backplane enters here. */
  deliver(publication: Publication): void {
    const hub = this.#hubs.get(publication.hub);
    const { messages } = this.#options.telemetry;
    if (messages !== null) this.#deliverWatched(hub, publication, messages);
    else if (hub !== undefined) this.#endRefused(hub.deliver(publication, this.#pushLimits()));
  }

  /** The same, told to whoever watches. */
  #deliverWatched(hub: Hub | undefined, publication: Publication, messages: MessageTelemetry): void {
    const followed = messages.published(publication, hub?.recipients(publication) ?? []);
    if (hub === undefined) return;
    const deliver = (): readonly Refusal[] | null => hub.deliver(publication, this.#pushLimits());
    this.#endRefused(this.#deliveries.follow(followed, publication.expiresAt, deliver));
  }

  #endRefused(refused: readonly Refusal[] | null): void {
    if (refused === null) return;
    this.#farewells.after(() => {
      for (const { connection, cause } of refused) this.end(connection, cause);
    });
  }

  /** Queues a data message for one connection; a full queue ends it. */
  pushMessage(connection: Connection, message: OutboundMessage, trace: MessageTrace | null): void {
    const followed = trace === null ? null : (this.messages?.answered(trace, connection) ?? null);
    const push = (): readonly Refusal[] | null => this.#push(connection, message);
    const refused = followed === null ? push() : this.#deliveries.follow([followed], null, push);
    for (const { cause } of refused ?? []) this.end(connection, cause);
  }

  #push(connection: Connection, message: OutboundMessage): readonly Refusal[] | null {
    const frame = connection.format.encoder.message(message);
    const cause = frame === null ? null : connection.push(frame, null, this.#pushLimits());
    return cause === null ? null : [{ connection, cause }];
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
        this.#farewells.after(() => this.#closeHere(hub, command));
        return done;
      case "list": {
        const members = hub.members(command.group, command.after, command.limit);
        return { kind: "members", members: members.map(({ id, userId }) => ({ connectionId: id, userId })) };
      }
    }
  }

  /** Ends every connection; new ones are the caller's business to refuse. */
  endAll(cause: EndingCause): void {
    this.#farewells.after(() => {
      for (const hub of [...this.#hubs.values()]) {
        for (const connection of [...hub.select({ kind: "hub" })]) this.end(connection, cause);
      }
    });
  }

  /** Stops the timers; connections that are still open are no longer looked after. */
  close(): void {
    this.#keepAlive.close();
  }

  /** The bounds in force, read once per fan-out and not once per recipient. */
  #pushLimits(): PushLimits {
    const { outboundQueue, reliable } = this.limits;
    return { outbox: outboundQueue, replay: reliable, now: this.#now };
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
      const closeReason = connection.format.answersFaults
        ? endings.closedByServer.reason
        : truncateUtf8(reason, maxReasonBytes);
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

/**
 * Whether a reliable connection outlives a socket that closed like this: not when its client said good-bye (1000, or no
 * code), nor when it broke the protocol (client-protocols 8.4, C-79, C-80).
 */
function isRetained(code: number): boolean {
  return code !== 1000 && code !== 1005 && code !== 1002 && code !== 1007 && code !== 1009;
}
