// Publisher of the tutorial "publish and subscribe": sends its argument to everybody and ends.
import { WebPubSubServiceClient } from "@azure/web-pubsub";

const connectionString = process.env["WebPubSubConnectionString"] ?? "";
const allowInsecureConnection = connectionString.startsWith("Endpoint=http:");
const service = new WebPubSubServiceClient(connectionString, "pub_sub", { allowInsecureConnection });
await service.sendToAll(process.argv[2] ?? "", { contentType: "text/plain" });
