import { createHash } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { type Browser, chromium } from "playwright-core";
import { dial } from "../support/dial.ts";
import type { Server } from "../support/server.ts";

/** Chromium without anything that looks for a network. */
export function launchChromium(args: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["TIDEWIRE_TEST_CHROMIUM"] ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...args,
    ],
  });
}

/**
 * The argument by which Chromium accepts this server's certificate and no other. Its own trust store needs tools that are
 * not everywhere, so the authority is judged here: this fails unless it signed the certificate for localhost.
 */
export async function trustOf(server: Server): Promise<string> {
  const endpoint = /Endpoint=(https:[^;]+)/.exec(server.output())?.[1] ?? "";
  const socket = (await dial(endpoint, { ca: server.ca })) as TLSSocket;
  const key = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
  socket.destroy();
  if (key === undefined) throw new Error("the server has no certificate");
  return `--ignore-certificate-errors-spki-list=${createHash("sha256").update(key).digest("base64")}`;
}
