import { createReconnectionTokens } from "../../src/auth/reconnection-tokens.ts";
import { createInProcessBackplane } from "../../src/cluster/in-process.ts";
import type { Connection } from "../../src/core/connection.ts";
import type { Executor } from "../../src/core/execute.ts";
import { defaultLimits, type Limits } from "../../src/core/limits.ts";
import { nodeIdLength } from "../../src/core/node-id.ts";
import type { Frame } from "../../src/core/outbound.ts";
import { parseRoles } from "../../src/core/permissions.ts";
import type { Backplane, SocketEvents } from "../../src/core/ports.ts";
import type { Publication } from "../../src/core/publication.ts";
import { Service } from "../../src/core/service.ts";
import { Session } from "../../src/gateway/session.ts";
import { jsonReliableV1Codec, jsonV1Codec } from "../../src/protocols/json-v1/codec.ts";
import type { AnyCodec } from "../../src/protocols/registry.ts";
import { simpleCodec } from "../../src/protocols/simple/codec.ts";
import { parseSimpleMode } from "../../src/protocols/simple/mode.ts";
import { FakeClock } from "./fakes/clock.ts";
import { FakeScheduler } from "./fakes/scheduler.ts";
import { FakeSink } from "./fakes/sink.ts";
import { FakeTelemetry } from "./fakes/telemetry.ts";
import { FakeUpstream } from "./fakes/upstream.ts";
import { named } from "./named.ts";

export interface HarnessOptions {
  readonly limits?: Partial<Limits>;
  readonly backplane?: Backplane;
}

export interface ClientOptions {
  readonly hub?: string;
  readonly user?: string;
  readonly roles?: readonly string[];
  readonly groups?: readonly string[];
  /** Query of a simple client, such as `webpubsub_mode=sendToGroup&group=g`; absent: a JSON client. */
  readonly simple?: string;
  /** Speaks this instead. */
  readonly codec?: AnyCodec;
}

/** A service of real parts on fake time, with clients that have no socket. */
export class ServiceHarness {
  readonly nodeId = "n".repeat(nodeIdLength);
  readonly clock = new FakeClock();
  readonly scheduler = new FakeScheduler(this.clock);
  readonly telemetry = new FakeTelemetry();
  readonly upstream = new FakeUpstream();
  readonly service: Service;
  readonly executor: Executor;
  /** Ping interval of every hub; may change. */
  keepAliveSeconds = 20;
  limits: Limits;
  #ids = 0;

  readonly tokens = createReconnectionTokens();

  constructor(options: HarnessOptions = {}) {
    this.limits = { ...defaultLimits, ...options.limits };
    this.service = new Service({
      nodeId: this.nodeId,
      clock: this.clock,
      scheduler: this.scheduler,
      backplane: options.backplane ?? createInProcessBackplane(),
      upstream: this.upstream,
      telemetry: this.telemetry,
      limits: () => this.limits,
      keepAliveSeconds: () => this.keepAliveSeconds,
      reconnectionToken: (id) => this.tokens.issue(id),
    });
    this.executor = { service: this.service, upstream: this.upstream, clock: this.clock };
  }

  /** Opens a connection; ids ascend. */
  connect(options: ClientOptions = {}): TestClient {
    const codec: AnyCodec = options.codec ?? (options.simple === undefined ? jsonV1Codec : simpleCodec);
    const mode = parseSimpleMode([...new URLSearchParams(options.simple ?? "")]);
    if (typeof mode === "string") throw new Error(mode);
    if (!this.service.reserve()) throw new Error("no place for another connection");
    this.#ids += 1;
    const sink = new FakeSink();
    const connection = this.service.open(
      {
        hub: named.hub(options.hub ?? "h"),
        id: named.connection(`${this.nodeId}${String(this.#ids).padStart(6, "0")}`),
        userId: options.user === undefined ? null : named.user(options.user),
        roles: parseRoles(options.roles ?? [], this.limits),
        groups: (options.groups ?? []).map(named.group),
        subprotocol: codec.subprotocol,
        format: codec,
        requestHost: "localhost",
        callerAddress: "192.0.2.1",
        upstreamSession: null,
      },
      sink,
    );
    const session = new Session(this.executor, connection, { codec, state: codec.initial(mode) });
    return new TestClient({ connection, sink, session, scheduler: this.scheduler });
  }

  /** A reliable JSON client that may join and publish everywhere. */
  connectReliable(options: ClientOptions = {}): TestClient {
    return this.connectFree({ ...options, codec: jsonReliableV1Codec });
  }

  /** Recovers the connection of a client on a new socket; null: refused. */
  recover({ connection, session }: TestClient, sink = new FakeSink()): TestClient | null {
    if (!this.service.attach(connection, sink)) return null;
    return new TestClient({ connection, sink, session, scheduler: this.scheduler });
  }

  /** A JSON client that may join and publish everywhere. */
  connectFree(options: ClientOptions = {}): TestClient {
    return this.connect({ ...options, roles: ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"] });
  }

  /** A publication by REST to the whole hub, unless told otherwise. */
  publication(fields: Partial<Publication> = {}): Publication {
    return {
      hub: named.hub("h"),
      target: { kind: "hub" },
      payload: { kind: "text", text: "hi" },
      metadata: null,
      from: { kind: "server" },
      stream: null,
      excluded: null,
      filter: null,
      expiresAt: null,
      trace: null,
      ...fields,
    };
  }
}

interface ClientParts {
  readonly connection: Connection;
  readonly sink: FakeSink;
  readonly session: Session;
  readonly scheduler: FakeScheduler;
}

/** The client's side of a connection. */
export class TestClient {
  readonly connection: Connection;
  readonly sink: FakeSink;
  readonly session: Session;
  readonly #scheduler: FakeScheduler;
  readonly #events: SocketEvents;
  #seen = 0;

  constructor({ connection, sink, session, scheduler }: ClientParts) {
    this.connection = connection;
    this.sink = sink;
    this.session = session;
    this.#scheduler = scheduler;
    this.#events = connection.replay === null ? session : session.eventsOf(sink);
    sink.events = this.#events;
  }

  /** Sends a frame as it is, or an object as JSON. */
  send(frame: Frame | object): void {
    const isFrame = typeof frame === "string" || frame instanceof Uint8Array;
    this.#events.frame(isFrame ? frame : JSON.stringify(frame));
  }

  /** Frames since the last look, at the end of this turn. */
  frames(): readonly Frame[] {
    this.#scheduler.settle();
    const frames = this.sink.frames.slice(this.#seen);
    this.#seen = this.sink.frames.length;
    return frames;
  }

  /** Frames since the last look as JSON values, `connected` left out. */
  received(): readonly unknown[] {
    const values = this.frames().map((frame): unknown => JSON.parse(String(frame)));
    return values.filter((value) => !(JSON.stringify(value) ?? "").includes('"event":"connected"'));
  }

  /** Sends a request and returns what came back. */
  request(message: object): readonly unknown[] {
    this.send(message);
    return this.received();
  }
}

/** A positive ack. */
export function ack(ackId: number): object {
  return { type: "ack", ackId, success: true };
}

/** A negative ack. */
export function nack(ackId: number, name: string, message: string): object {
  return { type: "ack", ackId, success: false, error: { name, message } };
}

/** Lets what is resolved arrive at whoever awaits it. */
export async function answersArrive(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
