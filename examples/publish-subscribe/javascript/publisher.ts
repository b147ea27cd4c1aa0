// Sends its arguments to everybody in the hub, one message each; without any, every line of its standard input.
import { createInterface } from "node:readline";
import { WebPubSubServiceClient } from "@azure/web-pubsub";

const connectionString = process.env["WebPubSubConnectionString"];
if (!connectionString) {
  console.error("Set WebPubSubConnectionString to the connection string of the service.");
  process.exit(2);
}

// The SDK insists on https unless it is told otherwise; on this machine, plain http will do.
const allowInsecureConnection = /Endpoint=http:/i.test(connectionString);
const service = new WebPubSubServiceClient(connectionString, "notices", { allowInsecureConnection });

const texts = process.argv.slice(2);
for await (const text of texts.length > 0 ? texts : createInterface({ input: process.stdin })) {
  // As plain text: without the content type, the SDK sends JSON, and the text arrives in quotes.
  await service.sendToAll(text, { contentType: "text/plain" });
  console.log(`Sent: ${text}`);
}
