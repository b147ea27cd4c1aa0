/*
 * The harness of the black-box suites: everything here speaks to a running server by URL, over raw sockets.
 *
 *   let server: Server;
 *   let handler: EventHandler;                                   // event-handler.ts: the application's web server
 *   beforeAll(async () => {
 *     handler = await startEventHandler();
 *     server = await startServer({ hubs: { "*": { eventHandlers: [handler.settings()] } }, upstream: { retryDelaysSeconds: [] } });
 *   });
 *   afterAll(async () => {
 *     await server.stop();
 *     await handler.stop();
 *   });
 *
 *   test("C-52 …", async () => {
 *     const hub = freshName("chat");                             // names.ts: a hub (group, user) of this test alone
 *     handler.hub(hub).answer("ev", { headers: [["Content-Type", "text/plain"]], body: "hi" });
 *     const client = await connectJson(server, { hub, roles: ["webpubsub.sendToGroup"] });       // clients.ts
 *     client.send({ type: "event", event: "ev", dataType: "text", data: "x", ackId: 1 });
 *     expect(await client.next()).toEqual({ type: "message", from: "server", dataType: "text", data: "hi" });
 *     expect(await client.next()).toEqual({ type: "ack", ackId: 1, success: true });
 *     expect((await handler.hub(hub).next("ev")).text).toBe("x");
 *     await client.nothingArrived();                             // a fence: a marker sent by REST must be what comes next
 *     const sent = await server.rest({ method: "POST", path: `/api/hubs/${hub}/:send`, body: "text" });
 *     expect(sent.status).toBe(202);
 *   });
 *
 * Suites that need no configuration use `anyServer()`: with WPS_CONNECTION_STRING they judge that server instead of ours.
 * What needs a server of its own stands in `describe.skipIf(isForeign)`.
 *
 * Further down: connectSimple, clientPath (clients.ts); openWebSocket, handshake and WebSocketClient with frames, pings and
 * close codes (web-socket.ts, frames.ts); rawRequest with exact bytes (raw-http.ts); clientToken, restToken, signToken
 * (tokens.ts); launch for servers that must not start or need arguments and environment (server-process.ts). Every wait
 * ends after 15 s unless it is told `withinMs`; nothing sleeps.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseConnectionString } from "./connection-string.ts";
import type { HttpResponse } from "./http-response.ts";
import { inTime } from "./inbox.ts";
import { type RestRequest, sendRest } from "./rest.ts";
import { type Configuration, type Launch, launch, type ServerProcess } from "./server-process.ts";
import { tempDir } from "./temp.ts";

/** A server that answers at `endpoint`, ours or not. */
export interface Target {
  /** Where it is reached: as in the connection string, without trailing slash; with public endpoints where it listens. */
  readonly endpoint: string;
  readonly connectionString: string;
  readonly primaryKey: string;
  /** PEM of the authority to trust for `https`. */
  readonly ca?: string;
  /** One REST request, signed unless told otherwise. */
  rest(request: RestRequest): Promise<HttpResponse>;
  /** Ends the server if it was started here. */
  stop(): Promise<void>;
}

/** A server started for this suite. */
export interface Server extends Target {
  readonly secondaryKey: string;
  readonly dataDir: string;
  readonly process: ServerProcess;
  /** Everything written so far: start output and logs. */
  output(): string;
  /** Merges `patch` into the configuration, rewrites the file and waits until the server took it over. */
  reconfigure(patch: Configuration): Promise<void>;
}

const foreign = process.env["WPS_CONNECTION_STRING"] ?? "";

/** The suites judge a server given by WPS_CONNECTION_STRING; tests that need a configuration of their own cannot run. */
export const isForeign = foreign !== "";

/** A connection string on a line of its own. */
const printed = /Endpoint=[^;\s]+;AccessKey=[^;\s]+;Version=1\.0;/;
const startDeadlineMs = 30_000;
const stopDeadlineMs = 30_000;

/** The server of WPS_CONNECTION_STRING, else one of ours with the default configuration. */
export async function anyServer(): Promise<Target> {
  if (!isForeign) return startServer();
  return target(foreign);
}

/**
 * Starts a server of our own on a free loopback port: random keys, empty data folder, no drain time. Resolves once it is
 * healthy; rejects with its output when it does not get there. `overrides` are merged into the configuration: objects
 * member by member, everything else replaced.
 */
export async function startServer(
  overrides: Configuration = {},
  options: Omit<Launch, "config"> = {},
): Promise<Server> {
  const folder = options.folder ?? tempDir();
  const dataDir = join(folder, "data");
  const keys = { primary: randomKey(), secondary: randomKey() };
  const listen = [{ url: "http://127.0.0.1:0" }];
  let configuration = merge({ service: { listen, keys, dataDir }, limits: { drainSeconds: 0 } }, overrides);
  const started = launch({ ...options, folder, config: configuration });
  const [connectionString = ""] = await started.written(printed, { withinMs: startDeadlineMs });
  const authority = /NODE_EXTRA_CA_CERTS=(\S+)/.exec(started.output)?.[1];
  // Printed when it differs from the endpoint of the connection string, which is then a public one.
  const listening = /^ {2}Listening on +(\S+)$/m.exec(started.output)?.[1];
  const base = text(member(configuration, "service")["pathBase"] ?? "");
  const server = target(connectionString, {
    ...(listening === undefined ? {} : { endpoint: `${listening}${base}` }),
    ...(authority === undefined ? {} : { ca: readFileSync(authority, "utf8") }),
    stop: () => stop(started),
  });
  await ready(server, started);
  return {
    ...server,
    secondaryKey: text(member(member(configuration, "service"), "keys")["secondary"]),
    dataDir: text(member(configuration, "service")["dataDir"]),
    process: started,
    output: () => started.output,
    reconfigure: async (patch) => {
      configuration = merge(configuration, patch);
      const from = started.output.length;
      started.writeConfig(configuration);
      await started.written(/ConfigurationReloaded/, { from });
    },
  };
}

function target(connectionString: string, own: Partial<Target> = {}): Target {
  const { endpoint, accessKey } = parseConnectionString(connectionString);
  const issuer = { endpoint, primaryKey: accessKey, ...own };
  return { connectionString, rest: (request) => sendRest(issuer, request), stop: () => Promise.resolve(), ...issuer };
}

/** Asks for its health until it has any. */
async function ready(server: Target, started: ServerProcess): Promise<void> {
  const giveUp = Date.now() + startDeadlineMs;
  for (;;) {
    const health = await server
      .rest({ method: "HEAD", path: "/api/health", token: null, apiVersion: null })
      .catch(() => null);
    if (health?.status === 200) return;
    if (Date.now() > giveUp || started.hasExited) throw new Error(`the server is not healthy:\n${started.output}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function stop(started: ServerProcess): Promise<void> {
  if (started.hasExited) throw new Error(`the server ended by itself:\n${started.output}`);
  started.kill("SIGTERM");
  const code = await inTime(started.exited, "end of the server after SIGTERM", stopDeadlineMs);
  if (code !== 0) throw new Error(`the server ended with ${code}:\n${started.output}`);
}

function merge(base: Configuration, patch: Configuration): Configuration {
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(patch)) {
    const old = merged[name];
    merged[name] = isObject(old) && isObject(value) ? merge(old, value) : value;
  }
  return merged;
}

function member(configuration: Configuration, name: string): Configuration {
  const value = configuration[name];
  return isObject(value) ? value : {};
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

const isObject = (value: unknown): value is Configuration =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const randomKey = (): string => randomBytes(32).toString("base64");
