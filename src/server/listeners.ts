import type { Config, Listener as ListenerConfig } from "../config/config.ts";
import { isTunnel } from "../config/url-template.ts";
import type { ListenAddress } from "../config/urls.ts";
import { formatListenUrl } from "../config/urls.ts";
import type { Telemetry } from "../core/ports.ts";
import { listenForCertificates } from "../transport/certificate-listener.ts";
import type { Listener, ListenOptions } from "../transport/listener.ts";
import { ListenError, listen } from "../transport/listener.ts";
import { maxTunnelFrameBytes } from "../upstream/tunnel/tunnel-endpoint.ts";
import type { ListenerCertificate } from "./certificates.ts";
import { listenerCertificate } from "./certificates.ts";

/** The HTTP body limit of the runtime: above the documented one, which REST answers in its own words. */
const bodyAllowance = 4;

/** Ports tried where any free one will do; ours. */
const freePortAttempts = 10;

/** All public listeners of a service, open. */
export interface Listeners {
  /** Where they really listen, in the order of the configuration. */
  readonly addresses: readonly ListenAddress[];
  /** Local authority to trust, null when no listener uses one. */
  readonly authorityFile: string | null;
  /** Takes over what may change while they listen; for new connections. */
  configure(config: Config): void;
  stopAccepting(): void;
  readonly pendingRequests: number;
  stop(): Promise<void>;
}

export type ListenResult =
  | { readonly ok: true; readonly listeners: Listeners }
  | { readonly ok: false; readonly problem: string };

/** Opens every listener of the configuration, or none: what was open is closed again when one fails. */
export async function openListeners(config: Config, handler: Handler, telemetry: Telemetry): Promise<ListenResult> {
  const open: Listener[] = [];
  const stops: (() => void)[] = [];
  const addresses: ListenAddress[] = [];
  let authorityFile: string | null = null;
  const fail = async (problem: string): Promise<ListenResult> => {
    for (const stop of stops) stop();
    await Promise.all(open.map((listener) => listener.stop()));
    return { ok: false, problem };
  };

  for (const each of config.service.listen) {
    let certificate: ListenerCertificate | null = null;
    if (each.address.scheme === "https") {
      const loaded = await listenerCertificate(each, config);
      if ("problem" in loaded) return fail(`${formatListenUrl(each.address)}: ${loaded.problem}`);
      certificate = loaded;
      authorityFile ??= loaded.authorityFile;
      for (const message of loaded.warnings) telemetry.log("warning", "CertificateWarning", { message });
    }
    try {
      const bound = await bind(config, { each, certificate, handler });
      open.push(...bound);
      addresses.push({ ...each.address, port: bound[0]?.port ?? each.address.port });
      if (certificate !== null) stops.push(follow(certificate, bound, telemetry));
    } catch (error) {
      if (error instanceof ListenError) return fail(error.message);
      throw error;
    }
  }
  return {
    ok: true,
    listeners: {
      addresses,
      authorityFile,
      get pendingRequests() {
        return open.reduce((sum, listener) => sum + listener.pendingRequests, 0);
      },
      configure(changed) {
        for (const listener of open) listener.setMaxFrameBytes(maxFrameBytes(changed));
      },
      stopAccepting() {
        // A new certificate would open its listener again.
        for (const stop of stops) stop();
        for (const listener of open) listener.stopAccepting();
      },
      async stop() {
        for (const stop of stops) stop();
        await Promise.all(open.map((listener) => listener.stop()));
      },
    },
  };
}

/**
 * The runtime has one limit for all sockets of a listener. That of tunnels is far above that of clients, who would be
 * told only once their oversized message is in memory; so it is raised only where events go through tunnels (H-10).
 */
function maxFrameBytes({ limits, hubs, defaultHub }: Config): number {
  const handlers = [...hubs.values(), defaultHub].flatMap((hub) => hub.eventHandlers);
  const hasTunnels = handlers.some(({ urlTemplate }) => isTunnel(urlTemplate));
  return Math.max(limits.maxMessageBytes, hasTunnels ? maxTunnelFrameBytes(limits.tunnel.maxContentBytes) : 0);
}

type Handler = Pick<ListenOptions, "traffic" | "handle" | "onError">;

/** `localhost` is both loopback addresses, as far as this machine has them: clients try either first. */
async function bind(
  config: Config,
  parts: { readonly each: ListenerConfig; readonly certificate: ListenerCertificate | null; readonly handler: Handler },
): Promise<Listener[]> {
  const { limits, properties } = config;
  const { each, certificate, handler } = parts;
  const tls = certificate?.tls ?? null;
  const open = async (hostname: string, port: number): Promise<Listener> => {
    const options: ListenOptions = {
      ...handler,
      hostname,
      port,
      name: each.name,
      tls,
      maxMessageBytes: limits.maxMessageBytes,
      maxFrameBytes: maxFrameBytes(config),
      maxBodyBytes: limits.maxMessageBytes * bodyAllowance,
      idleSeconds: limits.handshakeSeconds,
    };
    return tls !== null && properties.tls.clientCertEnabled ? listenForCertificates(options, tls) : listen(options);
  };
  const { hostname, port } = each.address;
  if (hostname !== "localhost") return [await open(hostname, port)];
  for (let attempt = 1; ; attempt++) {
    const first = await open("127.0.0.1", port);
    try {
      return [first, await open("::1", first.port)];
    } catch (error) {
      if (error instanceof ListenError && !error.isInUse) return [first];
      await first.stop();
      // A port that was free on one of the addresses may be taken on the other.
      if (port !== 0 || attempt === freePortAttempts) throw error;
    }
  }
}

function follow(certificate: ListenerCertificate, listeners: readonly Listener[], telemetry: Telemetry): () => void {
  const refuse = (problem: string): void =>
    telemetry.log("error", "CertificateProblem", { message: `The previous certificate stays in use: ${problem}` });
  return certificate.watch((tls) => {
    try {
      for (const listener of listeners) listener.setTls(tls);
    } catch (error) {
      refuse(error instanceof Error ? error.message : String(error));
      return;
    }
    telemetry.log("info", "CertificateReplaced", { message: "A new certificate is in use for new connections." });
  }, refuse);
}
