// Subscriber of the tutorial "publish and subscribe": prints what it receives.
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { WebSocket } from "ws";

const connectionString = process.env["WebPubSubConnectionString"] ?? "";
const allowInsecureConnection = connectionString.startsWith("Endpoint=http:");
const service = new WebPubSubServiceClient(connectionString, "pub_sub", { allowInsecureConnection });
const { url } = await service.getClientAccessToken();
const socket = new WebSocket(url);
socket.on("open", () => console.log("connected"));
socket.on("message", (data: Buffer) => console.log(`received ${data.toString()}`));
socket.on("close", (code) => console.log(`closed ${code}`));
