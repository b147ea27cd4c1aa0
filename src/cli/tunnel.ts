import { createAccessKey } from "../auth/access-keys.ts";
import { lineOutput } from "./line-output.ts";
import { readTarget } from "./target.ts";
import { createForwarder } from "./tunnel/forward.ts";
import type { LinkEnd } from "./tunnel/link.ts";
import { type Exchange, exchangeDetails, exchangeLine, printable } from "./tunnel/report.ts";
import { TunnelClient } from "./tunnel/tunnel-client.ts";

/** What the command line says. */
export interface TunnelOptions {
  readonly hub: string;
  readonly upstream: string;
  readonly connectionString?: string;
  readonly verbose?: true;
}

const failed = 1;
const misused = 2;
/** How long requests that are under way may still take at the end. Ours. */
const drainMs = 10_000;

/**
 * Connects to a service and forwards the events of a hub's `tunnel:///` handlers to a local application, one line per
 * request; resolves with the exit code when a signal or the service ends it.
 */
export async function runTunnel(options: TunnelOptions): Promise<number> {
  const upstream = parseUpstream(options.upstream);
  if (upstream === null) return complain("--upstream must be an http or https URL", misused);
  const target = readTarget(options);
  if (!target.ok) return complain(target.reason, target.exitCode);
  const { endpoint, accessKey } = target.service;

  const line = lineOutput(process.stdout, (lines) => console.error(`tidewire: ${lines} lines were dropped`));
  const forwarder = createForwarder(upstream);
  const done = Promise.withResolvers<number>();
  const client = new TunnelClient({
    endpoint,
    hub: options.hub,
    key: createAccessKey(accessKey),
    async handle(request) {
      const at = new Date();
      const startedAt = performance.now();
      const answer = await forwarder.forward(request);
      const exchange: Exchange = { request, answer, at, durationMs: performance.now() - startedAt };
      line(exchangeLine(exchange));
      if (options.verbose) for (const each of exchangeDetails(exchange)) line(each);
      return answer;
    },
    opened(connectionId, place) {
      line(`Connected to ${place}, hub ${options.hub}, as ${printable(connectionId)}; forwarding to ${upstream.href}`);
    },
    lost(end, retryMs) {
      console.error(`tidewire: ${describeEnd(end, endpoint)} Trying again in ${(retryMs / 1000).toFixed(1)} s.`);
    },
    told(message) {
      if (options.verbose) line(`The service says: ${printable(message)}`);
    },
    ended(message) {
      done.resolve(complain(`the service ended the tunnel: ${printable(message)}`, failed));
    },
  });
  const stop = (): void => {
    process.off("SIGINT", stop).off("SIGTERM", stop); // the next signal ends the process at once
    done.resolve(0);
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  const first = await Promise.race([client.start(), done.promise]);
  const code =
    first === null
      ? await done.promise
      : typeof first === "number"
        ? first
        : complain(describeEnd(first, endpoint), failed);
  process.off("SIGINT", stop).off("SIGTERM", stop);
  await client.stop(drainMs);
  forwarder.close();
  return code;
}

function complain(problem: string, code: number): number {
  console.error(`tidewire: ${problem}`);
  return code;
}

/** The scheme may be left out; null for what is no URL of a web server. */
function parseUpstream(text: string): URL | null {
  const absolute = text.includes("://") ? text : `http://${text}`;
  const url = URL.canParse(absolute) ? new URL(absolute) : null;
  const isUsable = url !== null && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "";
  return isUsable && url.username === "" && url.password === "" ? url : null;
}

/** Says what happened, and what to look at. */
function describeEnd(end: LinkEnd, endpoint: string): string {
  if (end.kind === "closed") {
    const reason = end.reason === "" ? "" : `, ${printable(end.reason)}`;
    return `The connection to ${endpoint} was closed (${end.code}${reason}).`;
  }
  const hint = end.status === null ? null : (refusals[end.status] ?? "");
  if (hint !== null) return `${endpoint} refused the tunnel with ${end.status}. ${hint}`.trim();
  const trust = /certificate/i.test(end.detail)
    ? " NODE_EXTRA_CA_CERTS names a file with authorities to trust; `tidewire cert --path` tells that of a local service."
    : "";
  return `${endpoint} cannot be reached: ${printable(end.detail)}.${trust}`;
}

const refusals: Readonly<Record<number, string>> = {
  400: "Is the hub's name right? (a letter, then letters, digits and _)",
  401: "Is the access key of the connection string one of this service, and this machine's clock right?",
  403: "Its network rules do not let server connections from here in.",
  404: "Is the endpoint of the connection string that of a Web PubSub service?",
  429: "The hub has as many tunnels as it may have.",
  503: "The service is stopped or stopping.",
};
