import type { Target } from "../webhooks/target.ts";

/** Where a connection keeps which application its events go to: the first one that got any (T-32). */
export interface Affinity {
  tunnelServer: string | null;
}

/** What is known of an event before it is sent. */
export interface TunnelledEvent {
  readonly event: string;
  readonly connectionId: string;
  readonly isBlocking: boolean;
}

/** The applications connected by tunnel, as events need them. */
export interface EventTunnels {
  /** Whether the hub has a tunnel now. */
  hasTunnel(hub: string): boolean;
  /** Where one event of a connection goes; the tunnel is chosen when a request is sent, and anew for each attempt. */
  eventTarget(hub: string, affinity: Affinity, event: TunnelledEvent): Target;
}
