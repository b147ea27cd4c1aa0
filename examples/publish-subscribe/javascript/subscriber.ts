// Prints every message of the hub until it is ended with Ctrl+C. Runs in Bun, and in Node 24 as it is.
import { WebPubSubServiceClient } from "@azure/web-pubsub";

const connectionString = process.env["WebPubSubConnectionString"];
if (!connectionString) {
  console.error("Set WebPubSubConnectionString to the connection string of the service.");
  process.exit(2);
}

// The SDK insists on https unless it is told otherwise; on this machine, plain http will do.
const allowInsecureConnection = /Endpoint=http:/i.test(connectionString);
const service = new WebPubSubServiceClient(connectionString, "notices", { allowInsecureConnection });

// The URL holds a token that is good for an hour. It is all a client needs, so a server can hand it to a browser.
const { url } = await service.getClientAccessToken();
const socket = new WebSocket(url);

socket.addEventListener("open", () => console.log("Connected. Waiting for messages."));
socket.addEventListener("message", ({ data }) => console.log(`Received: ${data}`));
socket.addEventListener("error", () => console.error("The connection failed."));
socket.addEventListener("close", ({ code }) => {
  if (!isEnding) console.error(`The connection was closed (${code}).`);
  process.exit(isEnding ? 0 : 1);
});

let isEnding = false;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    isEnding = true;
    socket.close();
  });
}
