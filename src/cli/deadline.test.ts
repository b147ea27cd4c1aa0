import { afterAll, beforeAll, expect, test } from "bun:test";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { callHttp } from "./http.ts";
import { dial } from "./web-socket.ts";

const deadlineMs = 50;
const sockets = new Set<Socket>();
let mute: Server;
let place: string;

beforeAll(async () => {
  // It takes connections and never answers.
  mute = createServer((socket) => sockets.add(socket.on("error", () => {})));
  await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
  place = `127.0.0.1:${(mute.address() as AddressInfo).port}`;
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  mute.close();
});

test("a request to a peer that never answers ends at the deadline", async () => {
  expect(await callHttp({ method: "GET", url: `http://${place}/`, headers: {} }, deadlineMs)).toEqual({
    ok: false,
    exitCode: 1,
    reason: `http://${place} does not answer: no answer within 0.05 s`,
  });
});

test("a WebSocket to a peer that never answers ends at the deadline", async () => {
  const call = { url: `ws://${place}/`, token: "t", subprotocol: null, forbidden: "" };
  expect(await dial(call, deadlineMs)).toEqual({
    ok: false,
    exitCode: 1,
    reason: `ws://${place} does not answer: no answer within 0.05 s`,
  });
});
