import type { PeerWorkload } from "../peers/load/workload.ts";

/** Whom a generator loads. */
export interface Endpoint {
  readonly port: number;
  /** Process whose CPU time is the price. */
  readonly pid: number;
  /** Access key that signs the tokens. */
  readonly accessKey: string;
}

/** How a client talks; `simple`: without a subprotocol. A `reliable` one confirms what it receives. */
export type Protocol = "simple" | "json" | "reliable" | "protobuf";

/** What a generator does, and what it counts. */
export type Workload =
  /** Deliveries: one more client sends bursts of `inFlight` messages to a group; the next when all members have all. */
  | {
      readonly kind: "groupFanOut";
      readonly members: number;
      readonly inFlight: number;
      readonly textLength: number;
      /** What the members speak, the same number of each. */
      readonly protocols: readonly Protocol[];
    }
  /** Inbound messages: each member of each group publishes to it and, once acked, does so again. */
  | {
      readonly kind: "smallGroups";
      readonly groups: number;
      readonly members: number;
      /** At least 100, which tells deliveries from acks. */
      readonly textLength: number;
      /** Whether members get the messages, their own included; the bare server may only ack. */
      readonly isDelivered: boolean;
    }
  /** Requests: each connection sends one REST request at a time to one of `users`, a token of its own in each. */
  | {
      readonly kind: "restToUser";
      readonly connections: number;
      /** Users with one connection each; 0: nobody listens, as at the baseline. */
      readonly users: number;
      readonly textLength: number;
    }
  /** Deliveries: REST broadcasts to all of a hub, `inFlight` under way until answered and delivered, a token each. */
  | {
      readonly kind: "restBroadcast";
      readonly members: number;
      readonly inFlight: number;
      readonly textLength: number;
    }
  /** Answers: each client sends an event and, when the event handler's answer is there, the next. */
  | { readonly kind: "events"; readonly clients: number; readonly textLength: number }
  /** Connects: TCP, upgrade with a token, first frame, closing handshake; `concurrent` of them under way at a time. */
  | { readonly kind: "connectStorm"; readonly concurrent: number }
  /** Messages: one at a time from one client to another, idle time between; writes down how long each took. */
  | { readonly kind: "singleMessages"; readonly textLength: number }
  /** Joins and leaves: in bursts, of groups picked among so many that have a member. */
  | { readonly kind: "memberships"; readonly groups: number }
  /** Connections that only stay: they are opened when the generator gets ready, and runs count nothing. */
  | { readonly kind: "idle"; readonly connections: number }
  /** The load of `npm run bench:peers`, in any server's protocol. */
  | PeerWorkload;

/** The first thing a generator is told. */
export interface Job {
  readonly endpoint: Endpoint;
  readonly workload: Workload;
  readonly share: Share;
}

/** Which part of the workload a generator makes, where several make it together; parts count from 0. */
export interface Share {
  readonly part: number;
  readonly parts: number;
}

/** What a generator is told afterwards, any number of times. */
export interface Order {
  readonly runMs: number;
  /** Pace of an open loop, in work items; null: the workload's closed loop. */
  readonly perSecond: number | null;
}

/** How long things took, in milliseconds. */
export interface Latency {
  readonly samples: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** How late the generator itself was in 99 % of the cases; it is part of the figures above. */
  readonly lateP99Ms: number;
}

/** One stretch of load, measured by the generator itself: counter and clocks are read in the same moment. */
export interface Run {
  readonly count: number;
  readonly wallMs: number;
  readonly serverCpuMs: number;
  readonly generatorCpuMs: number;
  /** Null where the load writes down no delays. */
  readonly latency: Latency | null;
}

/** What a generator says. */
export type Report = { readonly kind: "ready" } | { readonly kind: "run"; readonly run: Run };
