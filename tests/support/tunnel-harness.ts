import type { HubName } from "../../src/core/names.ts";
import type { Caller, SocketEvents } from "../../src/core/ports.ts";
import { decodeFrame, encodeFrame, type FrameFault } from "../../src/tunnel/frames.ts";
import type { TunnelMessage, TunnelRequest, TunnelResponse } from "../../src/tunnel/messages.ts";
import type { Tunnels } from "../../src/upstream/tunnel/tunnels.ts";
import { FakeSink } from "./fakes/sink.ts";

export const caller: Caller = {
  address: "192.0.2.1",
  scheme: "http",
  host: "host.test",
  audienceHosts: ["host.test"],
  certificate: null,
};

/** An application's end of a tunnel without a network. */
export class FakeTunnel {
  readonly sink = new FakeSink();
  readonly events: SocketEvents;
  #read = 0;

  constructor(tunnels: Tunnels, hub: string, serverId: string | null) {
    const place = tunnels.reserve(hub as HubName, serverId, caller);
    if (place === null) throw new Error("there is no room for a tunnel");
    this.events = place.open(this.sink);
    this.sink.events = this.events;
  }

  /** What the service sent since the last look. */
  received(): readonly (TunnelMessage | FrameFault)[] {
    const frames = this.sink.frames.slice(this.#read);
    this.#read = this.sink.frames.length;
    return frames.map((frame) => {
      if (typeof frame === "string") throw new Error("the service sent text");
      return decodeFrame(frame, { maxJsonBytes: 1_000_000 });
    });
  }

  /** The requests among what the service sent since the last look. */
  requests(): readonly TunnelRequest[] {
    return this.received().filter((message) => message.type === "request");
  }

  send(message: TunnelMessage): void {
    this.events.frame(encodeFrame(message));
  }

  answer(request: TunnelRequest, response: Partial<TunnelResponse> = {}): void {
    const { ackId, routing } = request;
    const plain = { status: 200, headers: [], isPartial: false, body: new Uint8Array(0) };
    this.send({ type: "response", ackId, routing, ...plain, ...response });
  }

  /** The application drops the connection. */
  drop(): void {
    this.events.closed(1006, "");
  }
}

/** Lets everything happen that waits for no timer. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
