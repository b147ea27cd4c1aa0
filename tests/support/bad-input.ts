import { expect } from "bun:test";
import type { JsonClient } from "./clients.ts";

/** How the service declines a message of a JSON client that it cannot read. */
const invalidMessage = { code: 1007, reason: "The client message is not a valid JSON protocol message." };

/** Sends bad input; the client must be told `system/disconnected` and then be closed as given. */
export async function expectDeclined(
  client: JsonClient,
  message: string | Uint8Array,
  close = invalidMessage,
): Promise<void> {
  client.socket.send(message);
  const farewell = await client.next();
  expect(farewell).toEqual({ type: "system", event: "disconnected", message: expect.any(String) });
  expect(await client.socket.closed()).toEqual(close);
}
