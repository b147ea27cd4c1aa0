import { connect, isIP } from "node:net";
import { connect as connectSecurely, createSecureContext, type SecureContext } from "node:tls";
import type { Scheduler } from "../../../core/ports.ts";
import type { HandlerTls } from "../../settings.ts";
import type { Pool, Target } from "../target.ts";
import type { TargetOrigin } from "../target-origin.ts";
import type { TargetGuard } from "../target-policy.ts";
import { httpExchange } from "./exchange.ts";
import type { DialledSocket } from "./http-socket.ts";
import { SocketPool } from "./socket-pool.ts";

/** Keep-alive sockets to one origin. */
interface HttpTarget extends Target {
  readonly pools: Readonly<Record<Pool, SocketPool>>;
}

/** Sockets to handlers, shared by all handlers of an origin with the same TLS settings. */
export interface Targets {
  of(origin: TargetOrigin, tls: HandlerTls | null): Target;
  /** Closes idle sockets now and busy ones as soon as they are idle. */
  retire(): void;
  /** Closes all sockets at once; requests on them fail. */
  close(): void;
}

/** Ours; reached only by a handler that redirects to ever new ports. */
const maxTargets = 1024;
/** Ours: a peer that vanished without a word is found out before its connection is used again. */
const probeAfterMs = 30_000;

/** Creates the sockets' owner; every connection is made to an address that `guard` has checked. */
export function createTargets(options: {
  readonly scheduler: Scheduler;
  readonly guard: TargetGuard;
  readonly maxSocketsPerHost: number;
}): Targets {
  const targets = new Map<string, HttpTarget>();
  /** In front of `targets`: the origin of a handler is one object and always comes with the same TLS settings. */
  let byOrigin = new WeakMap<TargetOrigin, Target>();
  const notifications = Math.max(1, Math.floor(options.maxSocketsPerHost / 4));
  const sockets = { blocking: Math.max(1, options.maxSocketsPerHost - notifications), notifications };

  // No idle timeout: it would cost two timers per request. Idle sockets are few, and peers close them.
  function dialler(origin: TargetOrigin, tls: HandlerTls | null): () => DialledSocket {
    const { hostname, port, isSecure } = origin;
    const address = {
      host: hostname,
      port,
      lookup: options.guard.lookup,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: probeAfterMs,
    };
    if (!isSecure) return () => ({ socket: connect(address), openEvent: "connect" });
    // An address is no server name (RFC 6066 3); the certificate is checked for it all the same.
    const servername = isIP(hostname) === 0 ? hostname : "";
    let secureContext: SecureContext | null = null;
    return () => {
      secureContext ??= createSecureContext({
        minVersion: "TLSv1.2",
        ...(tls !== null && tls.ca !== null && { ca: tls.ca }),
        ...(tls !== null && tls.cert !== null && { cert: tls.cert }),
        ...(tls !== null && tls.key !== null && { key: tls.key }),
      });
      const security = { secureContext, servername, ALPNProtocols: ["http/1.1"], rejectUnauthorized: true };
      return { socket: connectSecurely({ ...address, ...security }), openEvent: "secureConnect" };
    };
  }

  function retire(): void {
    for (const { pools } of targets.values()) for (const pool of Object.values(pools)) pool.retire();
    targets.clear();
    byOrigin = new WeakMap();
  }

  function find(origin: TargetOrigin, tls: HandlerTls | null): Target {
    const key = tls === null ? origin.href : JSON.stringify([origin.href, tls.ca, tls.cert, tls.key]);
    const known = targets.get(key);
    if (known !== undefined) return known;
    if (targets.size >= maxTargets) retire();
    const dial = dialler(origin, tls);
    const pools = {
      blocking: new SocketPool(dial, sockets.blocking),
      notifications: new SocketPool(dial, sockets.notifications),
    };
    const target: HttpTarget = {
      href: origin.href,
      origin,
      refusal: options.guard.refusal(origin.hostname),
      exchange: httpExchange({ scheduler: options.scheduler, origin, pools }),
      at: (other) => find(other, tls),
      pools,
    };
    targets.set(key, target);
    return target;
  }

  return {
    of(origin, tls) {
      const known = byOrigin.get(origin);
      if (known !== undefined) return known;
      const target = find(origin, tls);
      byOrigin.set(origin, target);
      return target;
    },
    retire,
    close() {
      for (const { pools } of targets.values()) for (const pool of Object.values(pools)) pool.close();
      targets.clear();
    },
  };
}
