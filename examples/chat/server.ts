// A chat room. The page connects to the service; the service tells this application what happens there, and the
// application publishes what everybody should see.
import { createHmac, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { type ConnectionContext, WebPubSubEventHandler } from "@azure/web-pubsub-express";
import express from "express";

/** What the page shows: something somebody said, or who came and went. */
type Line = { kind: "message"; from: string; text: string } | { kind: "notice"; text: string };

const hub = "chat";
const maxNameLength = 24;
const maxTextLength = 2000;

const connectionString = process.env["WebPubSubConnectionString"];
const port = Number(process.env["PORT"] ?? 3000);
if (!connectionString) {
  console.error("Set WebPubSubConnectionString to the connection string of the service, or use npm start.");
  process.exit(2);
}

// The SDK insists on https unless it is told otherwise; on this machine, plain http will do.
const allowInsecureConnection = /Endpoint=http:/i.test(connectionString);
const service = new WebPubSubServiceClient(connectionString, hub, { allowInsecureConnection });

/** Shows a line to everybody. A failure is only logged: the room goes on without that line. */
async function publish(line: Line): Promise<void> {
  await service.sendToAll(line).catch((error: unknown) => console.error("could not publish:", String(error)));
}

/** The name comes in a header as UTF-8, which Node and Bun read as Latin-1. */
const nameOf = ({ userId = "" }: ConnectionContext): string => Buffer.from(userId, "latin1").toString("utf8");

const events = new WebPubSubEventHandler(hub, {
  path: "/eventhandler",

  // Before somebody is let in: remember with the connection whether that is a new face or just a second window.
  async handleConnect({ context }, response) {
    try {
      response.setState("isNew", !(await service.userExists(nameOf(context))));
      response.success();
    } catch (error) {
      response.fail(500, String(error));
    }
  },

  onConnected({ context }) {
    if (context.states["isNew"] === true) void publish({ kind: "notice", text: `${nameOf(context)} joined` });
  },

  async onDisconnected({ context }) {
    const isStillHere = await service.userExists(nameOf(context)).catch(() => false);
    if (!isStillHere) await publish({ kind: "notice", text: `${nameOf(context)} left` });
  },

  // The sender gets the acknowledgement of its message once this has answered.
  async handleUserEvent({ context, data, dataType }, response) {
    const text = dataType === "text" ? data.trim() : "";
    if (text === "" || text.length > maxTextLength) return response.fail(400, "not a chat message");
    try {
      await service.sendToAll({ kind: "message", from: nameOf(context), text } satisfies Line);
      response.success();
    } catch (error) {
      response.fail(500, String(error));
    }
  },
});

const [, accessKey = ""] = /AccessKey=([^;]+)/i.exec(connectionString) ?? [];

/** Whether the service sent this event: only it and the application know the key. */
function isSigned(connectionId = "", signatures = ""): boolean {
  const expected = Buffer.from(`sha256=${createHmac("sha256", accessKey).update(connectionId).digest("hex")}`);
  return signatures.split(",").some((signature) => {
    const given = Buffer.from(signature);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

const app = express();
app.disable("x-powered-by");
// For everything below that path, because the handler answers there, too. With OPTIONS the service asks whether it may send
// events; that has no signature.
app.use("/eventhandler", (request, response, next) => {
  const isAsking = request.method === "OPTIONS";
  if (isAsking || isSigned(request.get("ce-connectionId"), request.get("ce-signature"))) next();
  else response.status(401).send("The signature is not that of the service.");
});
app.use(events.getMiddleware());
app.use(express.static(join(import.meta.dirname, "public")));

// Hands out the URL to connect with. A real application knows here who is asking; this one believes the name.
app.get("/negotiate", async (request, response) => {
  const { name: given } = request.query;
  const name = typeof given === "string" ? given.trim() : "";
  if (name === "" || name.length > maxNameLength) {
    response.status(400).json({ error: `A name has 1 to ${maxNameLength} characters.` });
    return;
  }
  const { url } = await service.getClientAccessToken({ userId: name });
  response.set("Cache-Control", "no-store").json({ url });
});

const server = app.listen(port, "localhost", (error) => {
  if (error) {
    console.error(`Cannot listen on port ${port} (${error.message}). Set PORT to another one.`);
    process.exit(1);
  }
  const address = server.address();
  console.log(`Chat: http://localhost:${typeof address === "object" ? address?.port : port}`);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
