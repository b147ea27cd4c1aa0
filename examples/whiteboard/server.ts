// The whiteboard's application. It never sees a pointer move: pages send those to each other. It gets finished shapes as
// events, stores each under the next number of its board, and publishes it to everybody at that board.
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { type UserEventRequest, type UserEventResponseHandler, WebPubSubEventHandler } from "@azure/web-pubsub-express";
import express, { type ErrorRequestHandler } from "express";
import { BoardStore, type Outcome } from "./board-store.ts";
import { imageKindOf } from "./image-kind.ts";
import {
  type Answer,
  type BoardMessage,
  isBoardName,
  type Person,
  parseSeat,
  type Seat,
  seatOf,
  userIdOf,
} from "./messages.ts";
import { servePage } from "./page.ts";
import { parseShape, parseShapeId } from "./shape.ts";
import { onlySigned } from "./signature.ts";

const hub = "whiteboard";
const maxImageBytes = 5 * 1024 * 1024;
/** A small file may unpack to a picture that no phone can hold. */
const maxImageSide = 8192;
const maxListedPeople = 50;

const connectionString = process.env["WebPubSubConnectionString"] ?? "";
const port = Number(process.env["PORT"] ?? 3002);
const dataDir = process.env["DATA_DIR"] ?? join(import.meta.dirname, "data");
const [, endpoint] = /Endpoint=([^;]+)/i.exec(connectionString) ?? [];
if (endpoint === undefined) {
  console.error("Set WebPubSubConnectionString, or start with: npm start -w examples/whiteboard");
  process.exit(2);
}

// The SDK insists on https unless it is told otherwise; on this machine, plain http will do.
const allowInsecureConnection = endpoint.startsWith("http:");
const service = new WebPubSubServiceClient(connectionString, hub, { allowInsecureConnection });
mkdirSync(dataDir, { recursive: true });
const store = new BoardStore(join(dataDir, "whiteboard.sqlite"));

/** Runs what concerns one board one after the other, so that its messages go out in the order of their numbers. */
const lastTurns = new Map<string, Promise<unknown>>();
function inTurn<T>(board: string, act: () => Promise<T>): Promise<T> {
  const turn = (lastTurns.get(board) ?? Promise.resolve()).then(act);
  // Whoever waits for the turn hears of its failure; the next turn does not depend on it.
  const settled = turn
    .catch(() => undefined)
    .finally(() => {
      if (lastTurns.get(board) === settled) lastTurns.delete(board);
    });
  lastTurns.set(board, settled);
  return turn;
}

const publish = (board: string, message: BoardMessage) => service.group(board).sendToAll(message);

/** Stores and publishes what somebody did. */
async function change({ board, id: author, name }: Seat, event: string, data: unknown): Promise<Outcome> {
  switch (event) {
    case "shape": {
      const shape = parseShape(data);
      if (shape === null) return { kind: "refused", reason: "That is not a shape this board knows." };
      const outcome = store.add(board, author, shape);
      await tell(board, outcome, (number) => ({ kind: "shape", number, author, shape }));
      return outcome;
    }
    case "undo": {
      const id = parseShapeId(data) ?? "";
      const outcome = store.remove(board, author, id);
      await tell(board, outcome, (number) => ({ kind: "removed", number, id }));
      return outcome;
    }
    case "clear": {
      const number = store.clear(board);
      await publish(board, { kind: "cleared", number, by: name });
      return { kind: "stored", number };
    }
    default:
      return { kind: "refused", reason: "That is nothing this application knows." };
  }
}

async function tell(board: string, outcome: Outcome, message: (number: number) => BoardMessage): Promise<void> {
  if (outcome.kind === "stored") await publish(board, message(outcome.number));
  // What came twice was stored the first time, but perhaps not published: everybody is told how far the board is.
  if (outcome.kind === "repeated") await publish(board, { kind: "latest", number: outcome.number });
}

/** The user id comes in a header as UTF-8, which Node reads as Latin-1. */
const seatOfEvent = ({ userId = "" }: { userId?: string }): Seat | null =>
  seatOf(Buffer.from(userId, "latin1").toString("utf8"));

async function takeEvent({ context, data, dataType }: UserEventRequest, response: UserEventResponseHandler) {
  const seat = seatOfEvent(context);
  if (seat === null) return response.fail(401, "not a user of this application");
  try {
    const event = context.eventName;
    const outcome = await inTurn(seat.board, () => change(seat, event, dataType === "json" ? data : null));
    // An acknowledgement has no place for a number or a reason, so they go in a message before it.
    const about = { event, id: parseShapeId(data) ?? "" };
    const answer: Answer =
      outcome.kind === "refused" ? { ...about, ...outcome } : { ...about, kind: "done", number: outcome.number };
    response.success(JSON.stringify(answer), "json");
  } catch (error) {
    // Not acknowledged: the page sends it again.
    console.error(`${context.eventName} of ${seat.board}:`, String(error));
    response.fail(500);
  }
}

/** Tells a board who is at it. The service knows best, also after this application was down. */
async function announcePeople(board: string): Promise<void> {
  const people = new Map<string, Person>();
  for await (const { userId = "" } of await service.group(board).listConnections()) {
    const seat = seatOf(userId);
    // Two windows of one person count once.
    if (seat !== null) people.set(seat.id, { id: seat.id, name: seat.name });
  }
  if (people.size === 0) return;
  await publish(board, { kind: "people", count: people.size, people: [...people.values()].slice(0, maxListedPeople) });
}

/** Boards whose people will be announced soon; who comes until then is among them. */
const announcing = new Set<string>();
async function peopleChanged(board: string | undefined): Promise<void> {
  if (board === undefined || announcing.has(board)) return;
  announcing.add(board);
  try {
    await inTurn(board, () => {
      announcing.delete(board);
      return announcePeople(board);
    });
  } catch (error) {
    console.error(`people of ${board}:`, String(error));
  }
}

const events = new WebPubSubEventHandler(hub, {
  path: "/eventhandler",
  onConnected: ({ context }) => void peopleChanged(seatOfEvent(context)?.board),
  onDisconnected: ({ context }) => void peopleChanged(seatOfEvent(context)?.board),
  handleUserEvent: (request, response) => void takeEvent(request, response),
});

const app = express().disable("x-powered-by");
const [, accessKey = ""] = /AccessKey=([^;]+)/i.exec(connectionString) ?? [];
app.use("/eventhandler", onlySigned(accessKey));
app.use(events.getMiddleware());
app.use(await servePage(new URL(endpoint).origin.replace(/^http/, "ws")));

app.use("/boards/:board", (request, response, next) => {
  if (isBoardName(request.params.board)) next();
  else response.status(400).json({ error: "A board has a name of letters a to z, digits and dashes." });
});

// Hands out the URL to connect with: good for one board, which the connection joins by itself. A real application knows
// here who is asking; this one believes the name.
app.get("/negotiate", async (request, response) => {
  const { board, id, name } = request.query;
  const seat = parseSeat(board, id, name);
  if (seat === null) {
    response
      .status(400)
      .json({ error: "A name has 1 to 24 characters; a board has letters a to z, digits and dashes." });
    return;
  }
  const { url } = await service.getClientAccessToken({
    userId: userIdOf(seat),
    groups: [seat.board],
    roles: [`webpubsub.joinLeaveGroup.${seat.board}`, `webpubsub.sendToGroup.${seat.board}`],
  });
  response.set("Cache-Control", "no-store").json({ url });
});

app.get("/boards/:board/shapes", (request, response) => {
  const after = Number(request.query["after"] ?? 0);
  if (!Number.isSafeInteger(after) || after < 0) {
    response.status(400).json({ error: "after is a number that the board gave." });
    return;
  }
  response.set("Cache-Control", "no-store").json(store.history(request.params.board, after));
});

app.post("/boards/:board/images", express.raw({ type: "image/*", limit: maxImageBytes }), (request, response) => {
  const bytes: unknown = request.body;
  const kind = bytes instanceof Uint8Array ? imageKindOf(bytes) : null;
  if (!(bytes instanceof Uint8Array) || kind === null) {
    response.status(415).json({ error: "That file is not a PNG, JPEG or WebP image." });
    return;
  }
  if (Math.min(kind.width, kind.height) < 1 || Math.max(kind.width, kind.height) > maxImageSide) {
    response.status(413).json({ error: `An image has at most ${maxImageSide} pixels on each side.` });
    return;
  }
  const id = randomBytes(16).toString("hex");
  const reason = store.addImage(request.params.board, id, { type: kind.type, bytes });
  if (reason === null) response.status(201).json({ id, width: kind.width, height: kind.height });
  else response.status(409).json({ error: reason });
});

app.get("/boards/:board/images/:id", (request, response) => {
  const image = store.image(request.params.board, request.params.id);
  if (image === null) {
    response.status(404).json({ error: "That image is not here any more." });
    return;
  }
  // Whatever the bytes contain, a browser shows them as this image and runs nothing.
  response
    .set({
      "Content-Type": image.type,
      "Content-Security-Policy": "default-src 'none'; sandbox",
      "Cross-Origin-Resource-Policy": "same-origin",
      "X-Content-Type-Options": "nosniff",
      "Cache-Control": "private, max-age=31536000, immutable",
    })
    .send(Buffer.from(image.bytes));
});

// Express knows a handler of errors by its four parameters.
// oxlint-disable-next-line max-params
const onError: ErrorRequestHandler = (
  error: { readonly type?: string; readonly status?: number },
  _request,
  response,
  _next,
) => {
  if (error.type === "entity.too.large") {
    response.status(413).json({ error: `An image may have ${maxImageBytes / 1024 / 1024} MB.` });
    return;
  }
  if (error.status === undefined) console.error(error);
  response.status(error.status ?? 500).json({ error: "That did not work. Try again." });
};
app.use(onError);

const server = app.listen(port, "localhost", (error) => {
  if (error) {
    console.error(`cannot listen on port ${port}: ${error.message}`);
    process.exit(1);
  }
  console.log(`Whiteboard: http://localhost:${(server.address() as AddressInfo).port}`);
  // Who left while this was not running was not announced.
  void announceAll();
});

async function announceAll(): Promise<void> {
  for (const board of store.boards()) await peopleChanged(board);
}

function stop(): void {
  server.close();
  server.closeAllConnections();
  store.close();
  process.exit(0);
}
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
