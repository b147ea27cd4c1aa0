// A chat room. The page connects to tidewire; tidewire tells this application what happens there, and the application
// publishes what everybody should see.
import { join } from "node:path";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { WebPubSubEventHandler } from "@azure/web-pubsub-express";
import express from "express";

const hub = "chat";
const maxNameLength = 24;
const maxTextLength = 2000;

const connectionString = process.env.WebPubSubConnectionString;
const port = Number(process.env.PORT ?? 3000);
if (!connectionString) {
  console.error("Set WebPubSubConnectionString to the connection string that tidewire printed when it started.");
  process.exit(2);
}

// The SDK insists on https unless it is told otherwise; on this machine, plain http will do.
const allowInsecureConnection = /Endpoint=http:/i.test(connectionString);
const service = new WebPubSubServiceClient(connectionString, hub, { allowInsecureConnection });

/**
 * Shows a line to everybody. A failure is only logged: the room goes on without that line.
 * @param {object} line
 */
async function publish(line) {
  try {
    await service.sendToAll(line);
  } catch (error) {
    console.error("could not publish:", String(error));
  }
}

/**
 * The name comes in a header as UTF-8, which Node reads as Latin-1.
 * @param {{ userId?: string }} context
 */
const nameOf = ({ userId = "" }) => Buffer.from(userId, "latin1").toString("utf8");

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
    if (context.states.isNew) void publish({ kind: "notice", text: `${nameOf(context)} joined` });
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
      await service.sendToAll({ kind: "message", from: nameOf(context), text });
      response.success();
    } catch (error) {
      response.fail(500, String(error));
    }
  },
});

const app = express();
app.use(events.getMiddleware());
app.use(express.static(join(import.meta.dirname, "public")));

// Hands out the URL to connect with. A real application knows here who is asking; this one believes the name.
app.get("/negotiate", async (request, response) => {
  const name = typeof request.query.name === "string" ? request.query.name.trim() : "";
  if (name === "" || name.length > maxNameLength) {
    response.status(400).json({ error: `A name has 1 to ${maxNameLength} characters.` });
    return;
  }
  const { url } = await service.getClientAccessToken({ userId: name });
  response.set("Cache-Control", "no-store").json({ url });
});

const server = app.listen(port, "127.0.0.1", (error) => {
  if (error) {
    console.error(`cannot listen on port ${port}: ${error.message}`);
    process.exit(1);
  }
  console.log(`Chat: http://localhost:${server.address().port}`);
});
