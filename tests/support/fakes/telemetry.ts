import type { Ending } from "../../../src/core/endings.ts";
import type { ConnectionFacts, LogFields, LogLevel, Telemetry } from "../../../src/core/ports.ts";

/** Keeps what it is told. */
export class FakeTelemetry implements Telemetry {
  readonly opened: ConnectionFacts[] = [];
  readonly ended: { readonly connection: ConnectionFacts; readonly ending: Ending }[] = [];
  readonly handshakes: number[] = [];
  readonly logs: { readonly level: LogLevel; readonly event: string; readonly fields: LogFields }[] = [];

  messages: Telemetry["messages"] = null;

  connectionOpened(connection: ConnectionFacts): void {
    this.opened.push(connection);
  }

  connectionEnded(connection: ConnectionFacts, ending: Ending): void {
    this.ended.push({ connection, ending });
  }

  handshake(status: number): void {
    this.handshakes.push(status);
  }

  inbound(): void {}

  outbound(): void {}

  log(level: LogLevel, event: string, fields: LogFields): void {
    this.logs.push({ level, event, fields });
  }
}
