import { randomUUID } from "node:crypto";
import { createAccessKey } from "../../auth/access-keys.ts";
import { mintClientToken } from "../../auth/mint.ts";
import type { ConnectionString } from "../../config/connection-string.ts";

/** What a client URL is for. */
export interface ClientUrlRequest {
  readonly hubName: string;
  readonly userId: string | null;
  readonly groups: readonly string[];
  readonly roles: readonly string[];
  readonly lifetimeSeconds: number;
  readonly protocol: ClientProtocol;
}

/** As `clientProtocol` of the SDKs. */
export const clientProtocols = ["default", "mqtt", "socketio"] as const;
export type ClientProtocol = (typeof clientProtocols)[number];

/** Names as the JavaScript SDK's `getClientAccessToken` returns them. */
export interface ClientUrl {
  readonly token: string;
  readonly baseUrl: string;
  readonly url: string;
}

const paths: Readonly<Record<ClientProtocol, string>> = {
  default: "client/hubs",
  mqtt: "clients/mqtt/hubs",
  socketio: "clients/socketio/hubs",
};

/**
 * Makes the URL with which a client connects, signed with the access key; the service is not asked.
 * @spec M-63
 */
export function makeClientUrl(service: ConnectionString, request: ClientUrlRequest): ClientUrl {
  const audience = `${service.endpoint}/${paths[request.protocol]}/${request.hubName}`;
  const token = mintClientToken(createAccessKey(service.accessKey), {
    audience,
    userId: request.userId,
    roles: request.roles,
    groups: request.groups,
    issuedAtSeconds: Math.floor(Date.now() / 1000),
    lifetimeSeconds: request.lifetimeSeconds,
    tokenId: randomUUID(),
  });
  const baseUrl = audience.replace(/^http/, "ws");
  return { token, baseUrl, url: `${baseUrl}?access_token=${token}` };
}
