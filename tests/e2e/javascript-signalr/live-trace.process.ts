import { HttpTransportType, type HubConnection, HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { report, serve } from "../../support/agent-process.ts";

declare global {
  // The package's types name this one of the browser; the tests have no DOM.
  type XMLHttpRequestResponseType = "" | "arraybuffer" | "blob" | "document" | "json" | "text";
}

const connections: HubConnection[] = [];

serve({
  /** Connects as the official trace views do: WebSocket, no negotiation, token from a factory. */
  start: async (url: string, token: string) => {
    const connection = new HubConnectionBuilder()
      .withUrl(url, {
        transport: HttpTransportType.WebSockets,
        skipNegotiation: true,
        accessTokenFactory: () => token,
      })
      .configureLogging(LogLevel.None)
      .build();
    connection.on("logEvent", (line: unknown) => report({ line }));
    connection.on("LogProperty", (property: unknown) => report({ property }));
    connection.onclose((error) => report({ closed: error?.message ?? null }));
    await connection.start();
    connections.push(connection);
    // As the views do; the call that follows is done when the service has taken both.
    await connection.send("startListeningToLogEvents");
    await connection.invoke("startListeningToLogEvents");
  },
  ask: (eventId: number) => connections.at(-1)?.send("LogProperty", eventId),
  invoke: (method: string, ...args: readonly unknown[]) => connections.at(-1)?.invoke(method, ...args),
  stop: () => connections.pop()?.stop(),
});
