import http from "node:http";
import https from "node:https";
import type { Scheduler } from "../../core/ports.ts";
import type { HandlerTls } from "../settings.ts";
import { httpExchange } from "./exchange.ts";
import type { Pool, Target } from "./target.ts";
import type { TargetOrigin } from "./target-origin.ts";
import type { TargetGuard } from "./target-policy.ts";

/** Keep-alive sockets to one origin. */
interface HttpTarget extends Target {
  readonly agents: Readonly<Record<Pool, http.Agent>>;
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

  function createAgent(origin: TargetOrigin, tls: HandlerTls | null, pool: Pool): http.Agent {
    // No idle timeout: it would cost two timers per request. Idle sockets are few, and peers close them.
    const shared = {
      keepAlive: true,
      maxSockets: sockets[pool],
      maxFreeSockets: sockets[pool],
      lookup: options.guard.lookup,
    };
    if (!origin.isSecure) return new http.Agent(shared);
    const { ca, cert, key } = tls ?? { ca: null, cert: null, key: null };
    const agent = new https.Agent({
      ...shared,
      minVersion: "TLSv1.2",
      ...(ca !== null && { ca }),
      ...(cert !== null && { cert }),
      ...(key !== null && { key }),
    });
    // The default name holds every PEM and is built on every request; this agent has one origin and one TLS setting.
    agent.getName = () => "";
    return agent;
  }

  function retire(): void {
    for (const { agents } of targets.values()) {
      for (const agent of Object.values(agents)) {
        agent.maxFreeSockets = 0;
        for (const list of Object.values(agent.freeSockets)) for (const socket of list ?? []) socket.destroy();
      }
    }
    targets.clear();
    byOrigin = new WeakMap();
  }

  function find(origin: TargetOrigin, tls: HandlerTls | null): Target {
    const key = tls === null ? origin.href : JSON.stringify([origin.href, tls.ca, tls.cert, tls.key]);
    const known = targets.get(key);
    if (known !== undefined) return known;
    if (targets.size >= maxTargets) retire();
    const agents = {
      blocking: createAgent(origin, tls, "blocking"),
      notifications: createAgent(origin, tls, "notifications"),
    };
    const target: HttpTarget = {
      href: origin.href,
      origin,
      refusal: options.guard.refusal(origin.hostname),
      exchange: httpExchange({ scheduler: options.scheduler, origin, agents }),
      at: (other) => find(other, tls),
      agents,
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
      for (const { agents } of targets.values()) for (const agent of Object.values(agents)) agent.destroy();
      targets.clear();
    },
  };
}
