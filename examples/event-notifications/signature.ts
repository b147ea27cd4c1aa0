// Anybody who reaches this server could send events, but only the service can sign them.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { RequestHandler } from "express";

/**
 * Lets the events of the service pass, which it signs with the access key. Has to stand before the event handler, and for
 * everything below its path: `app.use`, not `app.post`, because the handler answers there, too.
 */
export function onlySigned(accessKey: string): RequestHandler {
  return (request, response, next) => {
    const connectionId = request.get("ce-connectionId") ?? "";
    const expected = Buffer.from(`sha256=${createHmac("sha256", accessKey).update(connectionId).digest("hex")}`);
    // While the service has two keys, it signs with both.
    const isSigned = (request.get("ce-signature") ?? "").split(",").some((signature) => {
      const given = Buffer.from(signature.trim());
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
    // With OPTIONS the service asks whether it may send events; that has no signature.
    if (isSigned || request.method === "OPTIONS") next();
    else response.status(401).send("The signature is not that of the service.");
  };
}
