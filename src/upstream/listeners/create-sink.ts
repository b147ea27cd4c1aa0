import type { Clock, Scheduler, Telemetry } from "../../core/ports.ts";
import type { HandlerAuth, ResolveHost, TargetPolicy } from "../settings.ts";
import { type Authenticator, createAuthenticator } from "../webhooks/handler-auth.ts";
import { createTargets } from "../webhooks/http/targets.ts";
import { createHttpClient } from "../webhooks/http-client.ts";
import { createTargetGuard } from "../webhooks/target-policy.ts";
import { requestToken } from "../webhooks/token-request.ts";
import { createEventHubSink } from "./event-hubs.ts";
import { createHttpBatchSink } from "./http-batch.ts";
import { createKafkaSink } from "./kafka.ts";
import { createNatsSink } from "./nats.ts";
import type { ListenerEndpoint } from "./settings.ts";
import type { EventSink } from "./sink.ts";

/** What sinks need of the service. */
export interface SinkOptions {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly telemetry: Pick<Telemetry, "log">;
  /** Product version, for `User-Agent`. */
  readonly version: string;
  /** In force when a sink is made. */
  readonly targets: () => TargetPolicy;
  readonly resolveHost?: ResolveHost | undefined;
}

const httpTimeoutMs = 20_000;
/** A sink sends one batch at a time, one request per hub in it. */
const maxHttpSockets = 64;

/** Creates sinks; nothing is loaded or connected before their first event. */
export function createSinks(options: SinkOptions): (endpoint: ListenerEndpoint) => EventSink {
  const { clock, scheduler, telemetry, version } = options;
  const userAgent = `tidewire/${version}`;
  const httpParts = () => {
    const guard = createTargetGuard(options.targets(), options.resolveHost);
    const targets = createTargets({ scheduler, guard, maxSocketsPerHost: maxHttpSockets });
    const client = createHttpClient({ clock, scheduler });
    const authenticator = (auth: HandlerAuth): Authenticator | null =>
      createAuthenticator(auth, {
        clock,
        fetchToken: (tokenUrl, form) =>
          requestToken({ client, targets }, { tokenUrl, form, userAgent, timeoutMs: httpTimeoutMs }),
        failed: (reason) => {
          telemetry.log("warning", "EventListenerTokenUnavailable", {
            message: `No token for an event listener: ${reason}.`,
          });
        },
      });
    return { client, createAuthenticator: authenticator, userAgent, timeoutMs: httpTimeoutMs, targets };
  };
  return (endpoint) => {
    switch (endpoint.type) {
      case "EventHub": {
        const { access } = endpoint;
        const auth = access.kind === "token" ? access.auth : null;
        const authenticator = auth === null ? null : httpParts().createAuthenticator(auth);
        return createEventHubSink(endpoint, { authenticator, now: () => clock.now() });
      }
      case "Kafka":
        return createKafkaSink(endpoint);
      case "Nats":
        return createNatsSink(endpoint);
      case "HttpBatch": {
        const parts = httpParts();
        const close = (): Promise<void> => {
          parts.client.abortAll();
          parts.targets.close();
          return Promise.resolve();
        };
        return createHttpBatchSink(endpoint, { ...parts, close });
      }
    }
  };
}
