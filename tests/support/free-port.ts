import type { AddressInfo } from "node:net";
import { createServer } from "node:net";

/**
 * A loopback port that nobody uses, for the few servers whose address has to be known before they start. Whoever needs
 * it takes it at once: the system hands the same port out again only after it has gone through its whole range.
 */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
