// A team chat. The page talks to the service; the service tells this application what happens there (server/events.ts), and
// the application publishes what others should see. This file holds the rest: who signs in, and the URL to connect with.
import { mkdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import express, { type NextFunction, type Request, type Response } from "express";
import { createEvents } from "./server/events.ts";
import { Refusal, readInteger, readLine } from "./server/input.ts";
import { buildPage } from "./server/page.ts";
import { createSessions, readSecret } from "./server/session.ts";
import { onlySigned } from "./server/signature.ts";
import { openStore } from "./server/sql-store.ts";
import { general } from "./server/store.ts";
import { colorCount, limits } from "./shared/protocol.ts";

const hub = "team";
const sweepEveryMs = 60_000;

const port = Number(process.env["PORT"] ?? 3003);
const dataDir = process.env["DATA_DIR"] ?? join(import.meta.dirname, "data");
const database = process.env["DATABASE_URL"] ?? join(dataDir, "team-chat.sqlite");
const idleAfterMs = Number(process.env["IDLE_AFTER_SECONDS"] ?? 300) * 1000;
const connectionString = process.env["WebPubSubConnectionString"] ?? "";
const [, accessKey = ""] = /AccessKey=([^;]+)/i.exec(connectionString) ?? [];
if (accessKey === "") {
  console.error('Set WebPubSubConnectionString, or start this with "npm start", which starts a service too.');
  process.exit(2);
}

mkdirSync(dataDir, { recursive: true });
const sessions = createSessions(process.env["SESSION_SECRET"] ?? readSecret(join(dataDir, "session-secret")));
const store = await openStore(database).catch((error: unknown) => {
  console.error(`cannot open the database ${database.replace(/\/\/.*@/, "//…@")}: ${String(error)}`);
  process.exit(1);
});
// The SDK insists on https unless it is told otherwise; on this machine, plain http will do.
const allowInsecureConnection = /Endpoint=http:/i.test(connectionString);
const service = new WebPubSubServiceClient(connectionString, hub, { allowInsecureConnection });
const events = createEvents({ hub, store, service, idleAfterMs });

const app = express();
app.disable("x-powered-by");
app.use("/eventhandler", onlySigned(accessKey));
app.use(events.handler.getMiddleware());
app.use(await buildPage(join(import.meta.dirname, "web")));
app.use(express.json({ limit: "10kb" }));
app.use((_request, response, next) => {
  response.set("Cache-Control", "no-store");
  next();
});

// Who is here? A real application authenticates people; this one believes the name they type.
app.post("/sign-in", async (request, response) => {
  const input = (request.body ?? {}) as { readonly name?: unknown; readonly color?: unknown };
  const name = readLine(input.name, "A name", limits.nameLength);
  const person = await store.signIn(name, readInteger(input.color, colorCount - 1));
  if (person === null) throw new Refusal("There are too many people here already.");
  if (await isRefused(person.id, response)) return;
  await store.join(general.id, person.id);
  sessions.start(response, person.id);
  response.json({ id: person.id });
  await events.announcePerson(person.id);
  await events.announceChat(general.id);
});

/** Lets the page decide what to show first. */
app.get("/session", async (request, response) => {
  const personId = sessions.personOf(request);
  response.json({ isSignedIn: personId !== null && (await store.person(personId)) !== null });
});

app.post("/sign-out", (_request, response) => {
  sessions.end(response);
  response.status(204).end();
});

// Hands out the URL to connect with, to those who have signed in.
app.post("/negotiate", async (request, response) => {
  const personId = sessions.personOf(request);
  if (personId === null || (await store.person(personId)) === null) {
    response.status(401).json({ error: "Sign in first." });
    return;
  }
  if (await isRefused(personId, response)) return;
  const { url } = await service.getClientAccessToken({ userId: personId });
  response.json({ url });
});

/** Answers those whom the admin has closed. */
async function isRefused(personId: string, response: Response): Promise<boolean> {
  const reason = await store.closedReason(personId);
  if (reason !== null) response.status(403).json({ error: reason });
  return reason !== null;
}

// Express knows a handler of errors by its four parameters.
// oxlint-disable-next-line eslint/max-params
app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
  if (response.headersSent) return next(error);
  if (error instanceof Refusal) {
    response.status(400).json({ error: error.message });
    return;
  }
  console.error(error);
  response.status(500).json({ error: "The application could not do that." });
});

const server = app.listen(port, "127.0.0.1", (error) => {
  if (error) {
    console.error(`cannot listen on port ${port}: ${error.message}`);
    process.exit(1);
  }
  console.log(`Team chat: http://localhost:${(server.address() as AddressInfo).port}`);
});

/** Also at the start: people may have gone while this was not running. */
const sweep = () => events.sweep().catch((error: unknown) => console.error("sweep failed:", String(error)));
void sweep();
const sweeping = setInterval(() => void sweep(), sweepEveryMs);

function stop(): void {
  clearInterval(sweeping);
  server.close(() => void store.close().then(() => process.exit(0)));
  server.closeIdleConnections();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
