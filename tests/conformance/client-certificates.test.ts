import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { type ClientCertificate, makeClientCertificate, openWithCertificate } from "../support/client-certificate.ts";
import { connectSimple } from "../support/clients.ts";
import { type EventHandler, startEventHandler } from "../support/event-handler.ts";
import { freshName } from "../support/names.ts";
import { isForeign, type Server, startServer } from "../support/server.ts";

describe.skipIf(isForeign)("a server that asks for client certificates", () => {
  let server: Server;
  let handler: EventHandler;
  let certificate: ClientCertificate;
  beforeAll(async () => {
    handler = await startEventHandler();
    certificate = await makeClientCertificate("client");
    server = await startServer({
      service: { listen: [{ url: "https://127.0.0.1:0" }] },
      properties: { tls: { clientCertEnabled: true } },
      hubs: { "*": { eventHandlers: [handler.settings({ systemEvents: ["connect"] })] } },
    });
  });
  afterAll(async () => {
    await server.stop();
    await handler.stop();
  });

  const certificatesOf = async (hub: string): Promise<unknown> =>
    ((await handler.hub(hub).next("connect")).json as Record<string, unknown>)["clientCertificates"];

  test("M-35 the connect handler learns thumbprint and content of the client's certificate", async () => {
    const hub = freshName("hub");
    const client = await openWithCertificate(server, { hub, userId: "u" }, certificate);
    const [seen, ...more] = (await certificatesOf(hub)) as { readonly thumbprint: string; readonly content: string }[];
    expect(more).toEqual([]);
    expect(seen?.thumbprint.toUpperCase()).toBe(certificate.thumbprint);
    expect(new X509Certificate(seen?.content ?? "").fingerprint256).toBe(
      new X509Certificate(certificate.cert).fingerprint256,
    );
    await server.rest({ method: "POST", path: `/api/hubs/${hub}/:send`, body: "through TLS" });
    expect(await client.nextText()).toBe("through TLS");
    client.close(1000);
    expect((await client.closed()).code).toBe(1000);
  });

  test("M-35 a client without certificate still connects, and the handler sees none", async () => {
    const hub = freshName("hub");
    const client = await connectSimple(server, { hub });
    expect(await certificatesOf(hub)).toEqual([]);
    await client.nothingArrived();
  });

  test("M-35 each connection has its own certificate; whether it is still valid the handler decides", async () => {
    const hub = freshName("hub");
    const certificates = [
      certificate,
      await makeClientCertificate("another client"),
      await makeClientCertificate("expired", { notAfter: new Date(Date.now() - 60_000) }),
    ];
    for (const each of certificates) {
      await openWithCertificate(server, { hub }, each);
      expect(await certificatesOf(hub)).toMatchObject([{ thumbprint: each.thumbprint }]);
      await openWithCertificate(server, { hub }, null);
      expect(await certificatesOf(hub)).toEqual([]);
    }
  });

  test("M-35 a header cannot pretend a certificate", async () => {
    const hub = freshName("hub");
    const forged = certificate.cert.replaceAll(/-----[^-]*-----|\s/g, "");
    for (const name of ["X-ARR-ClientCert", "X-Forwarded-Client-Cert", "X-ASRS-Internal-Client-Cert"]) {
      await openWithCertificate(server, { hub, headers: [[name, forged]] }, null);
      expect(await certificatesOf(hub)).toEqual([]);
    }
  });
});
