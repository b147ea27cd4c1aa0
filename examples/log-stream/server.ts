// The page, the addresses to connect with, and a publisher for something to look at.
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { demoLog } from "./log/demo.ts";
import { group, hub } from "./log/lines.ts";
import type { Role } from "./log/negotiate.ts";
import { publish } from "./log/publisher.ts";
import { failed, misused, reasonOf } from "./log/terminal.ts";
import page from "./web/index.html";

const connectionString = process.env["WebPubSubConnectionString"] ?? "";
if (connectionString === "") misused("Set WebPubSubConnectionString to the connection string of the service.");
const port = Number(process.env["PORT"] ?? 3004);
if (!Number.isInteger(port) || port < 0 || port > 65_535) misused("PORT must be a number from 0 to 65535.");

// The SDK insists on https unless it is told otherwise; on this machine, plain http will do.
const allowInsecureConnection = /Endpoint=http:/i.test(connectionString);
const service = new WebPubSubServiceClient(connectionString, hub, { allowInsecureConnection });

/** What the service lets each of them do, and nothing else: a viewer can not publish, a publisher can not listen. */
const rolesOf: Readonly<Record<Role, string>> = {
  viewer: `webpubsub.joinLeaveGroup.${group}`,
  publisher: `webpubsub.sendToGroup.${group}`,
};

async function urlFor(role: Role): Promise<string> {
  const { url } = await service.getClientAccessToken({ roles: [rolesOf[role]] });
  return url;
}

/** Hands out the URL to connect with. A real application would know here who is asking, and who may publish. */
async function negotiate(request: Request): Promise<Response> {
  const headers = { "Cache-Control": "no-store" };
  const role = new URL(request.url).searchParams.get("role");
  if (role !== "viewer" && role !== "publisher") {
    return Response.json({ error: "Ask for ?role=viewer or ?role=publisher." }, { status: 400, headers });
  }
  return Response.json({ url: await urlFor(role) }, { headers });
}

function listen() {
  try {
    return Bun.serve({
      hostname: "127.0.0.1",
      port,
      development: false,
      // Without it, Bun shares the port with whoever has it already.
      reusePort: false,
      routes: { "/": page, "/negotiate": { GET: negotiate } },
      fetch: () => new Response("There is nothing here.\n", { status: 404 }),
    });
  } catch (error) {
    return failed(`Cannot listen on port ${port}: ${reasonOf(error)}`);
  }
}

const server = listen();
const stop = (): void => {
  void server.stop(true).then(() => process.exit(0));
};
process.on("SIGINT", stop);
process.on("SIGTERM", stop);
console.log(`Log stream: http://localhost:${server.port}`);

if (process.env["DEMO"] !== "off") {
  publish({ negotiate: () => urlFor("publisher"), lines: demoLog() }).catch((error: unknown) => {
    failed(`Cannot publish the demonstration log: ${reasonOf(error)}`);
  });
}
