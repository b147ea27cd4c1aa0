import type { PeerLoad } from "./load/workload.ts";

/** A scenario of docs/spec/performance.md as every peer can run it. */
export interface PeerScenario {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly load: PeerLoad;
}

const members = 1000;
const textLength = 200;

export const peerScenarios: readonly PeerScenario[] = [
  {
    id: "P1",
    title: "big group, 1,000 members, 50 in flight",
    unit: "deliveries/CPU-s",
    load: { kind: "fanOut", members, inFlight: 50, textLength },
  },
  {
    id: "P2",
    title: "big group, 1,000 members, 1 in flight",
    unit: "deliveries/CPU-s",
    load: { kind: "fanOut", members, inFlight: 1, textLength },
  },
  {
    id: "P5",
    title: "small groups, 100 of 10 members, acknowledged messages",
    unit: "inbound/CPU-s",
    load: { kind: "smallGroups", groups: 100, members: 10, textLength: 100 },
  },
  {
    id: "P10",
    title: "idle memory, 15,000 members of one group",
    unit: "KB/connection",
    load: { kind: "idle", connections: 15_000 },
  },
];
