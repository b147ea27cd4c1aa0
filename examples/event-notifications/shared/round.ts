// What a van does on a round, for those who have no van at hand.
import type { DeviceClient, DeviceEvent } from "./device-client.ts";

export interface RoundOptions {
  /** Time between two events. */
  readonly paceMs: number;
  /** Gets a line for every event and every answer. */
  readonly log: (line: string) => void;
}

/** Drives one round; resolves at its end. */
export async function driveRound(device: DeviceClient, { paceMs, log }: RoundOptions): Promise<void> {
  for (const event of round()) {
    await new Promise((resolve) => setTimeout(resolve, paceMs));
    log(describe(event));
    try {
      const { ok, text } = await device.send(event);
      log(`  ${ok ? "✓" : "✗ refused:"} ${text}`);
    } catch (error) {
      log(`  ✗ ${(error as Error).message}`);
    }
  }
}

function round(): DeviceEvent[] {
  const number = 10_000 + Math.floor(Math.random() * 80_000);
  const [first, second] = [`P-${number}`, `P-${number + 1}`];
  return [
    ["report", { parcel: first, status: "collected" }],
    ["report", { parcel: second, status: "collected", note: "handle with care" }],
    ["report", { parcel: first, status: "on the way" }],
    ["report", { parcel: first, status: "delivered", note: "left with the neighbour at no. 12" }],
    ["report", { parcel: first, status: "delivered" }], // the driver scans it twice: refused
    ["help", { text: "Road closed at the harbour bridge" }],
    ["report", { parcel: second, status: "on the way" }],
    ["report", { parcel: second, status: "not delivered", note: "nobody at home" }],
    ["lookup", { parcel: second }],
  ];
}

function describe([name, data]: DeviceEvent): string {
  return `${name} ${Object.values(data).join(", ")}`;
}
