// A delivery tracker. Devices send events to the service, the service tells this application, and the application answers
// the device, and tells every dashboard.
import { join } from "node:path";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { WebPubSubEventHandler } from "@azure/web-pubsub-express";
import express from "express";
import { servePage } from "./page.ts";
import {
  type Answer,
  maxNameLength,
  type Notification,
  parseHelp,
  parseLookup,
  parseName,
  parseReport,
  type Report,
  type State,
  type Summary,
  type Update,
} from "./shared/messages.ts";
import { onlySigned } from "./signature.ts";
import { Store } from "./store.ts";

const hub = "deliveries";
/** The connections of this group are dashboards; everything else is a device. */
const dashboards = "dashboards";
const maxDevices = 200;
const sweepEveryMs = 15_000;

const connectionString = process.env["WebPubSubConnectionString"];
if (!connectionString) {
  console.error("Set WebPubSubConnectionString to the connection string of the service.");
  process.exit(2);
}
const port = Number(process.env["PORT"] ?? 3001);

// The SDK insists on https unless it is told otherwise; on this machine, plain http will do.
const allowInsecureConnection = /Endpoint=http:/i.test(connectionString);
const service = new WebPubSubServiceClient(connectionString, hub, { allowInsecureConnection });
const store = new Store(process.env["DATA_DIR"] ?? join(import.meta.dirname, "data"));
const online = new Set<string>();

const summary = (): Summary => ({ online: [...online].sort(), parcels: store.parcels() });

/** A failure is only logged: the notification is stored, and a dashboard finds it there when it comes back. */
async function tellDashboards(notification: Notification): Promise<void> {
  const update: Update = { notification, summary: summary() };
  try {
    await service.group(dashboards).sendToAll(update);
  } catch (error) {
    console.error("could not tell the dashboards:", String(error));
  }
}

/** A device may have a second connection, so the service is asked. While it does not answer, nobody is gone. */
async function noteIfGone(device: string): Promise<void> {
  const isHere = await service.userExists(device).catch(() => true);
  if (!isHere && online.delete(device)) await tellDashboards(store.notify("presence", device, "went offline"));
}

/** The name comes in a header as UTF-8, which Node reads as Latin-1; empty for a dashboard. */
const nameOf = ({ userId = "" }): string => Buffer.from(userId, "latin1").toString("utf8");

/** Why a report cannot be, in words for the driver; null when it can. */
function objection({ parcel, status }: Report): string | null {
  const before = store.parcel(parcel);
  if (before === null) return status === "collected" ? null : `${parcel} was never collected.`;
  if (before.status === "delivered") return `${parcel} was delivered already, by ${before.device}.`;
  return before.status === status ? `${parcel} is ${status} already.` : null;
}

/** What a device is answered to an event; null for data that only a faulty device sends. */
async function answer(event: string, device: string, data: unknown): Promise<Answer | null> {
  if (event === "report") {
    const report = parseReport(data);
    if (report === null) return null;
    const problem = objection(report);
    if (problem !== null) return { ok: false, text: problem };
    await tellDashboards(store.report(device, report));
    return { ok: true, text: `${report.parcel} is ${report.status}.` };
  }
  if (event === "help") {
    const text = parseHelp(data);
    if (text === null) return null;
    await tellDashboards(store.notify("help", device, text));
    return { ok: true, text: "The dispatcher knows." };
  }
  // "lookup" concerns nobody but the device that asks.
  const parcel = parseLookup(data);
  if (parcel === null) return null;
  const found = store.parcel(parcel);
  return found === null
    ? { ok: false, text: `Nobody has reported ${parcel}.` }
    : { ok: true, text: `${parcel} is ${found.status}, says ${found.device}.` };
}

const events = new WebPubSubEventHandler(hub, {
  path: "/eventhandler",

  // Before somebody is let in. What is refused here never gets a connection.
  handleConnect({ context }, response) {
    const device = nameOf(context);
    if (device !== "" && !online.has(device) && online.size >= maxDevices) response.fail(400, "too many devices");
    else response.success();
  },

  onConnected({ context }) {
    const device = nameOf(context);
    if (device === "" || online.has(device)) return;
    online.add(device);
    void tellDashboards(store.notify("presence", device, "came online"));
  },

  async onDisconnected({ context }) {
    const device = nameOf(context);
    if (device !== "") await noteIfGone(device);
  },

  // The device gets the acknowledgement of its event when this has answered, and what it answers before that. A refusal is
  // an answer, too: of a failure the service passes on that there was one, but not why.
  async handleUserEvent({ context, data, dataType }, response) {
    const device = nameOf(context);
    if (device === "" || dataType !== "json") return response.fail(400, "only devices send events, and only JSON");
    try {
      const given = await answer(context.eventName, device, data);
      if (given === null) response.fail(400, "not what this event looks like");
      else response.success(JSON.stringify(given), "json");
    } catch (error) {
      console.error(`could not handle ${context.eventName}:`, error);
      response.fail(500, "the tracker failed");
    }
  },
});

const app = express();
app.disable("x-powered-by");
const [, accessKey = ""] = /AccessKey=([^;]+)/i.exec(connectionString) ?? [];
app.use("/eventhandler", onlySigned(accessKey));
app.use(events.getMiddleware());

// Hands out the URL to connect with. A real application knows here who is asking; this one believes the name.
app.get("/negotiate", async (request, response) => {
  const { device } = request.query;
  const name = parseName(device);
  if (device !== undefined && name === null) {
    response.status(400).json({ error: `A device's name has 1 to ${maxNameLength} characters.` });
    return;
  }
  const { url } = await service.getClientAccessToken(name === null ? { groups: [dashboards] } : { userId: name });
  response.set("Cache-Control", "no-store").json({ url });
});

app.get("/state", (_request, response) => {
  const state: State = { notifications: store.notifications(), summary: summary() };
  response.set("Cache-Control", "no-store").json(state);
});

app.use(await servePage());

// Who came and went while this was not running, nobody told it.
await Promise.all(
  store.devices().map(async (device) => {
    if (await service.userExists(device).catch(() => false)) online.add(device);
  }),
);

const server = app.listen(port, "127.0.0.1", (error) => {
  if (error) {
    const isTaken = "code" in error && error.code === "EADDRINUSE";
    console.error(isTaken ? `Port ${port} is taken; set PORT to another.` : `Cannot listen: ${error.message}`);
    process.exit(1);
  }
  console.log(`Deliveries: http://localhost:${port}`);
  process.send?.("listening"); // to tunnel.ts, where that started this
});

// Of a service that broke down nobody hears whose connections went with it.
const sweeping = setInterval(() => {
  for (const device of online) void noteIfGone(device);
}, sweepEveryMs);

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    clearInterval(sweeping);
    server.close(() => {
      store.close();
      process.exit(0);
    });
    server.closeIdleConnections();
  });
}
