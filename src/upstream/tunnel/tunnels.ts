import type { HubName } from "../../core/names.ts";
import type { Caller, Clock, FrameSink, Scheduler, SocketEvents, Telemetry } from "../../core/ports.ts";
import type { Target } from "../webhooks/target.ts";
import { tunnelHref } from "../webhooks/url-template.ts";
import { EventExchange } from "./event-exchange.ts";
import type { Affinity, EventTunnels, TunnelledEvent } from "./event-target.ts";
import { RestCalls, type TunnelRest } from "./rest-calls.ts";
import { TunnelServer } from "./tunnel-server.ts";
import { TunnelSocket } from "./tunnel-socket.ts";

/** Limits of the tunnels (specification: tunnel 12); read at each use. */
export interface TunnelLimits {
  readonly socketsPerHub: number;
  readonly socketsPerServer: number;
  readonly requestsPerSocket: number;
}

/** A tunnel socket as logs and metrics see it. */
export interface ServerConnectionFacts {
  readonly hub: HubName;
  readonly id: string;
  /** Subject of the token; null without one. */
  readonly serverId: string | null;
  readonly caller: Caller;
}

/** Where tunnels report. Cheap, never throws. */
export interface TunnelTelemetry extends Pick<Telemetry, "log"> {
  serverConnectionOpened(facts: ServerConnectionFacts): void;
  serverConnectionEnded(facts: ServerConnectionFacts, code: number, reason: string): void;
}

export interface TunnelsOptions {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly telemetry: TunnelTelemetry;
  readonly rest: TunnelRest;
  readonly limits: () => TunnelLimits;
}

/** A place for one socket, taken before the handshake is answered. Exactly one of the two is called, once. */
export interface TunnelPlace {
  open(sink: FrameSink): SocketEvents;
  abandoned(): void;
}

const tickMs = 20_000; // WebSocket pings
/** Existing clients close a socket that brought no message for 120 s (tunnel 5.2). */
const statusMs = 60_000;
const silenceMs = 60_000;
/** How long events wait for the process their connection belongs to (tunnel 8.2). */
const graceMs = 5000;
/** Events of one hub that may wait for room in its tunnels. Ours, as many as notifications may. */
const maxWaiting = 10_000;

const noServers: ReadonlyMap<string, TunnelServer> = new Map();

interface OpenSocket {
  readonly socket: TunnelSocket;
  heardAt: number;
  statusAt: number;
}

/**
 * The applications connected by tunnel, by hub, and the choice of the one that gets an event: all events of a connection
 * go to the process that got the first one, the first one to the process with the fewest requests.
 * @spec T-32 T-33 T-34
 */
export class Tunnels implements EventTunnels {
  readonly #options: TunnelsOptions;
  /** Servers by id, by hub. */
  readonly #hubs = new Map<string, Map<string, TunnelServer>>();
  readonly #open = new Set<OpenSocket>();
  #stopTicking: (() => void) | null = null;
  #onEmpty: (() => void) | null = null;

  constructor(options: TunnelsOptions) {
    this.#options = options;
  }

  hasTunnel(hub: string): boolean {
    for (const server of this.#serversOf(hub).values()) if (server.sockets.size > 0) return true;
    return false;
  }

  eventTarget(hub: string, affinity: Affinity, event: TunnelledEvent): Target {
    const { scheduler, telemetry } = this.#options;
    const target: Target = {
      href: tunnelHref,
      origin: null,
      refusal: null,
      exchange: (wire, events) => {
        const exchange = new EventExchange({ hub, affinity }, wire, { events, scheduler });
        // Its caller must have the means to cut it before anything happens to it.
        queueMicrotask(() => this.#place(exchange));
        return () => {
          const { socketId: tunnelId } = exchange;
          if (exchange.isOver) return;
          exchange.abort();
          if (tunnelId === null || !event.isBlocking) return;
          const message = `The ${event.event} event was given up, which a tunnel had not answered.`;
          telemetry.log("info", "TunnelledEventUnanswered", {
            message,
            hub,
            connectionId: event.connectionId,
            tunnelId,
          });
        };
      },
      at: () => target,
    };
    return target;
  }

  /** Takes a place for one more socket; null when the hub or the server has as many as it may. */
  reserve(hub: HubName, serverId: string | null, caller: Caller): TunnelPlace | null {
    const { socketsPerHub, socketsPerServer } = this.#options.limits();
    const id = crypto.randomUUID();
    // Without a subject nobody can tell which sockets belong together, so each is a server of its own.
    const key = serverId ?? `socket ${id}`;
    const servers = this.#hubs.get(hub) ?? new Map<string, TunnelServer>();
    let all = 0;
    for (const { sockets, reserved } of servers.values()) all += sockets.size + reserved;
    const server = servers.get(key) ?? new TunnelServer(key);
    if (all >= socketsPerHub || server.sockets.size + server.reserved >= socketsPerServer) return null;
    servers.set(key, server);
    this.#hubs.set(hub, servers);
    server.reserved += 1;
    const facts: ServerConnectionFacts = { hub, id, serverId, caller };
    return {
      open: (sink) => {
        server.reserved -= 1;
        return this.#opened(sink, server, facts);
      },
      abandoned: () => {
        server.reserved -= 1;
        if (server.cancelGrace === null) this.#forget(hub, server);
      },
    };
  }

  /**
   * Closes all sockets with 1001, upon which applications come back after a moment (T-29, T-31); resolves when they are
   * closed, or at the deadline.
   */
  async close(deadlineMs: number): Promise<void> {
    for (const { socket } of [...this.#open]) socket.close(1001, "Service is restarting.");
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#options.scheduler.after(deadlineMs, resolve);
      this.#onEmpty = () => {
        cancel();
        resolve();
      };
    });
  }

  #opened(sink: FrameSink, server: TunnelServer, facts: ServerConnectionFacts): SocketEvents {
    const { clock, limits, rest, telemetry } = this.#options;
    const { hub, id, caller } = facts;
    const failed = (error: unknown): void => {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      telemetry.log("error", "InternalError", { message, hub });
    };
    const calls = new RestCalls({ hub, caller, rest, answer: (message) => socket.write(message), failed });
    const socket = new TunnelSocket(sink, {
      id,
      maxInFlight: () => limits().requestsPerSocket,
      heard: () => {
        open.heardAt = clock.now();
      },
      called: (request) => calls.add(request),
      hasRoom: () => server.pump(),
      refused: (message) => telemetry.log("warning", "ServerConnectionRefused", { message, hub, tunnelId: id }),
      closed: (code, reason) => {
        calls.close();
        this.#closed(open, server, facts);
        telemetry.serverConnectionEnded(facts, code, reason);
      },
    });
    const open: OpenSocket = { socket, heardAt: clock.now(), statusAt: clock.now() };
    this.#open.add(open);
    this.#stopTicking ??= this.#options.scheduler.every(tickMs, () => this.#tick());
    server.cancelGrace?.();
    server.cancelGrace = null;
    server.sockets.add(socket);
    telemetry.serverConnectionOpened(facts);
    socket.write({ type: "connected", connectionId: id, userId: facts.serverId }); // T-6
    server.pump();
    return socket;
  }

  #closed(open: OpenSocket, server: TunnelServer, { hub, serverId }: ServerConnectionFacts): void {
    this.#open.delete(open);
    if (this.#open.size === 0) {
      this.#stopTicking?.();
      this.#stopTicking = null;
      this.#onEmpty?.();
    }
    server.sockets.delete(open.socket);
    if (server.sockets.size > 0) {
      server.pump();
      return;
    }
    if (serverId === null) this.#forget(hub, server);
    else {
      server.cancelGrace = this.#options.scheduler.after(graceMs, () => {
        server.cancelGrace = null;
        this.#forget(hub, server);
      });
    }
  }

  /** Drops a server that has no socket and will get none; what waited for it goes elsewhere (T-34). */
  #forget(hub: string, server: TunnelServer): void {
    if (server.sockets.size + server.reserved > 0) return;
    const servers = this.#hubs.get(hub);
    servers?.delete(server.id);
    if (servers?.size === 0) this.#hubs.delete(hub);
    for (const exchange of server.takeWaiting()) this.#place(exchange);
  }

  #place(exchange: EventExchange): void {
    if (exchange.isOver) return;
    const { hub, affinity } = exchange.address;
    const servers = this.#serversOf(hub);
    const known = affinity.tunnelServer === null ? undefined : servers.get(affinity.tunnelServer);
    const server = known ?? leastBusy(servers.values());
    if (server === null) {
      exchange.failed(`there is no tunnel connection for hub ${hub}`); // T-18
      return;
    }
    let waiting = 0;
    for (const each of servers.values()) waiting += each.waiting;
    if (waiting >= maxWaiting) {
      exchange.failed("too many events are waiting for the tunnel");
      return;
    }
    affinity.tunnelServer = server.id;
    server.add(exchange);
  }

  #serversOf(hub: string): ReadonlyMap<string, TunnelServer> {
    return this.#hubs.get(hub) ?? noServers;
  }

  #tick(): void {
    const now = this.#options.clock.now();
    for (const open of [...this.#open]) {
      if (now - open.heardAt >= silenceMs) {
        open.socket.abort();
        continue;
      }
      open.socket.ping();
      if (now - open.statusAt < statusMs) continue;
      open.statusAt = now;
      open.socket.write({ type: "status", text: "keepalive" }); // T-28
    }
  }
}

/** The server with the fewest requests, ties at random; none that is away. */
function leastBusy(servers: Iterable<TunnelServer>): TunnelServer | null {
  let best: TunnelServer[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (const server of servers) {
    if (server.sockets.size === 0) continue;
    const { load } = server;
    if (load < least) best = [];
    least = Math.min(least, load);
    if (load === least) best.push(server);
  }
  return best[Math.floor(Math.random() * best.length)] ?? null;
}
