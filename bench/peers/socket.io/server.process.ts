// A server on the npm package `socket.io`: clients join rooms and publish to them. Runs on Node and on Bun.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
// WebSocket only and no first request kept: socket.io/docs/v4/memory-usage. Compression is off by default.
const io = new Server(http, { transports: ["websocket"], serveClient: false });
io.engine.on("connection", (raw: { request: unknown }) => {
  raw.request = null;
});

io.on("connection", (socket) => {
  socket.on("join", async (room: string, joined: () => void) => {
    await socket.join(room);
    joined();
  });
  socket.on("publish", (room: string, text: string, accepted?: () => void) => {
    io.to(room).emit("message", text);
    accepted?.();
  });
});

http.listen(0, "127.0.0.1", () => {
  const address = http.address();
  const port = typeof address === "object" ? address?.port : address;
  console.log(`Endpoint=http://127.0.0.1:${port};AccessKey=unchecked;Version=1.0;`);
});
