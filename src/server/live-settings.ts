import { createHmac } from "node:crypto";
import type { AccessKey } from "../auth/access-keys.ts";
import { createAccessKey, createAccessKeys } from "../auth/access-keys.ts";
import { createAudienceValidator } from "../auth/audience.ts";
import { createOidcVerifier } from "../auth/oidc.ts";
import { signConnection } from "../auth/signature.ts";
import type { Config } from "../config/config.ts";
import { hubSettings } from "../config/config.ts";
import { readOrCreateKey } from "../config/keys.ts";
import { isInRange, parseIpAddress } from "../core/ip-address.ts";
import type { Limits } from "../core/limits.ts";
import type { HubName } from "../core/names.ts";
import { evaluateNetworkAccess } from "../core/network-access.ts";
import type { FrontDoorSettings } from "../front/front-door.ts";
import type { GatewaySettings } from "../gateway/client-endpoint.ts";
import type { RestAccess } from "../rest/authorize.ts";

const issuerTimeoutMs = 10_000;

/** What the rooms read of the configuration, computed once per configuration and replaced as a whole by a reload. */
export interface LiveSettings {
  readonly config: Config;
  readonly limits: Limits;
  readonly gateway: GatewaySettings;
  readonly frontDoor: FrontDoorSettings;
  readonly restAccess: RestAccess;
  keepAliveSeconds(hub: HubName): number;
  /** `ce-signature` of a connection (event-handlers 4.4). */
  readonly sign: (connectionId: string) => string;
}

/** Computes the settings of a configuration; `problem` when the key of minted tokens cannot be kept. */
export function liveSettings(config: Config): LiveSettings | { readonly problem: string } {
  const { keys: texts, publicEndpoints, pathBase, dataDir } = config.service;
  const keys = createAccessKeys(texts);
  const { disableLocalAuth } = config.properties;
  const minting = disableLocalAuth ? internalKey(dataDir) : keys.primary;
  if ("problem" in minting) return minting;
  const { validateHost } = config.auth.audience;
  const audience = createAudienceValidator({ publicEndpoints, pathBase, validateHost });
  const { clockSkewSeconds } = config.auth;
  return {
    config,
    limits: limitsOf(config),
    gateway: {
      tokenKeys: disableLocalAuth ? [minting] : keys.all,
      audience,
      clockSkewSeconds,
      hub: (name) => {
        const { anonymousConnectPolicy, allowedOrigins } = hubSettings(config, name);
        return { anonymous: anonymousConnectPolicy === "allow", allowedOrigins };
      },
    },
    frontDoor: frontDoorSettings(config),
    restAccess: {
      keys: disableLocalAuth ? [] : keys.all,
      oidc: oidcOf(config),
      audience,
      skewSeconds: clockSkewSeconds,
      mintingKey: minting,
      publicEndpoints,
    },
    keepAliveSeconds: (hub) => hubSettings(config, hub).webSocketKeepAliveIntervalInSeconds,
    sign: (connectionId) => signConnection(keys, connectionId),
  };
}

/** Secret of the continuation tokens, the same on every node and after a restart (rest-api 10). */
export function continuationKey(keys: Config["service"]["keys"]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(createHmac("sha256", keys.primary).update("continuation tokens").digest());
}

/** While keys sign nothing, minted tokens need a key that no application ever had (M-24). */
function internalKey(dataDir: string): AccessKey | { readonly problem: string } {
  const stored = readOrCreateKey(`${dataDir}/minting`);
  return stored.ok ? createAccessKey(stored.key) : { problem: stored.message };
}

function limitsOf({ limits }: Config): Limits {
  return {
    maxMessageBytes: limits.maxMessageBytes,
    outboundQueue: limits.outboundQueue,
    inboundQueue: limits.inboundQueue,
    reliable: {
      recoveryMs: limits.reliable.recoverySeconds * 1000,
      messages: limits.reliable.messages,
      bytes: limits.reliable.bytes,
    },
    openStreams: limits.openStreams,
    pendingInvocations: limits.pendingInvocations,
    groupState: limits.groupState,
    ackIds: limits.ackIds,
    permissionLiterals: limits.permissions.literals,
    permissionPatterns: limits.permissions.patterns,
    maxConnections: limits.maxConnections,
    closeDrainMs: limits.closeDrainSeconds * 1000,
  };
}

function frontDoorSettings({ service, properties, networkRules, limits }: Config): FrontDoorSettings {
  return {
    maxTargetLength: limits.maxRequestLineBytes,
    isStopped: properties.resourceStopped,
    isAllowed: (request) => evaluateNetworkAccess(networkRules, request) === "allowed",
    isTrustedProxy(address) {
      const parsed = service.trustedProxies.length === 0 ? null : parseIpAddress(address);
      return parsed !== null && service.trustedProxies.some((range) => isInRange(parsed, range));
    },
  };
}

function oidcOf({ auth, properties }: Config): RestAccess["oidc"] {
  const { oidc, allowUnvalidatedEntraTokens, clockSkewSeconds } = auth;
  if (properties.disableAadAuth || (oidc.length === 0 && !allowUnvalidatedEntraTokens)) return null;
  return createOidcVerifier({
    issuers: oidc.map(({ jwksUri, ...issuer }) => (jwksUri === null ? issuer : { ...issuer, jwksUri })),
    allowUnvalidatedEntraTokens,
    skewSeconds: clockSkewSeconds,
    fetchTimeoutMs: issuerTimeoutMs,
    fetch: (url, init) => fetch(url, init),
    nowMs: () => Date.now(),
  });
}
