import type { ConnectionString } from "../../config/connection-string.ts";
import { done, type Ending, failed } from "../ending.ts";
import { signFor } from "../service/rest-call.ts";
import { paletteFor } from "../terminal.ts";
import { dial } from "../web-socket.ts";
import { LiveTrace } from "./live-trace.ts";
import { formatLine, isWanted, type TraceFilter, type TraceLine } from "./trace-line.ts";

export interface TraceRequest {
  readonly filter: TraceFilter;
  readonly asJson: boolean;
  /** Shows what is exchanged with event handlers. */
  readonly bodies: boolean;
  /** Lines after which it ends; null: never by itself. */
  readonly limit: number | null;
}

/** Prints the live trace of a service until the limit, a signal, or the end of the connection. */
export async function runTrace(service: ConnectionString, request: TraceRequest): Promise<Ending> {
  const audience = `${service.endpoint}/livetrace`;
  const dialled = await dial({
    url: audience.replace(/^http/, "ws"),
    token: signFor(service, audience),
    subprotocol: null,
    forbidden: "live trace is switched off (properties.liveTraceConfiguration), or a network rule refuses it",
  });
  if (!dialled.ok) return dialled;
  const paint = paletteFor(process.stdout);
  const ended = Promise.withResolvers<Ending>();
  let shownLines = 0;
  let isWanting = true;
  const stop = (): void => {
    isWanting = false;
    trace.close();
  };
  const show = (line: TraceLine): void => {
    if (!isWanting || !isWanted(line, request.filter)) return;
    console.log(request.asJson ? JSON.stringify(line) : formatLine(line, paint));
    shownLines += 1;
    if (shownLines === request.limit) stop();
  };
  const { hubName: hub, connection: connectionId, user: userId } = request.filter;
  const trace = new LiveTrace(
    dialled.socket,
    {
      started: () => console.error(`tidewire: live trace of ${service.endpoint}; Ctrl+C ends it`),
      line: show,
      ended: (reason) => ended.resolve(isWanting ? failed(`the service ended the live trace: ${reason}`) : done),
    },
    { bodies: request.bodies, filter: { hub, connectionId, userId } },
  );
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  return ended.promise;
}
