/** Whom a generator loads. */
export interface Endpoint {
  readonly port: number;
  /** Process whose CPU time is the price. */
  readonly pid: number;
  /** Access key that signs the tokens. */
  readonly accessKey: string;
}

/** What a generator does, and what it counts. */
export type Workload =
  /** Deliveries: one more client sends bursts of `inFlight` messages to a group; the next when all members have all. */
  | {
      readonly kind: "groupFanOut";
      readonly members: number;
      readonly inFlight: number;
      readonly textLength: number;
      /** Members of the reliable protocol, which confirm what they receive. */
      readonly isReliable: boolean;
    }
  /** Requests: each connection sends one REST request at a time to one of `users`, a token of its own in each. */
  | {
      readonly kind: "restToUser";
      readonly connections: number;
      /** Users with one connection each; 0: nobody listens, as at the baseline. */
      readonly users: number;
      readonly textLength: number;
    }
  /** Connects: TCP, upgrade with a token, first frame, closing handshake; `concurrent` of them under way at a time. */
  | { readonly kind: "connectStorm"; readonly concurrent: number }
  /** Connections that only stay: they are opened when the generator gets ready, and runs count nothing. */
  | { readonly kind: "idle"; readonly connections: number };

/** The first thing a generator is told. */
export interface Job {
  readonly endpoint: Endpoint;
  readonly workload: Workload;
}

/** What a generator is told afterwards, any number of times. */
export interface Order {
  readonly runMs: number;
}

/** One stretch of load, measured by the generator itself: counter and clocks are read in the same moment. */
export interface Run {
  readonly count: number;
  readonly wallMs: number;
  readonly serverCpuMs: number;
  readonly generatorCpuMs: number;
}

/** What a generator says. */
export type Report = { readonly kind: "ready" } | { readonly kind: "run"; readonly run: Run };
