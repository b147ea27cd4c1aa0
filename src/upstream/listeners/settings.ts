import type { HubName } from "../../core/names.ts";
import type { HandlerAuth } from "../settings.ts";

/** Where the events of one listener go; secrets are read already. */
export type ListenerEndpoint =
  | {
      readonly type: "EventHub";
      readonly eventHubName: string;
      readonly access:
        | { readonly kind: "connectionString"; readonly connectionString: string }
        /** `auth` null: there are no credentials, and every event waits for them until the queue is full. */
        | { readonly kind: "token"; readonly fullyQualifiedNamespace: string; readonly auth: HandlerAuth | null };
    }
  | {
      readonly type: "Kafka";
      readonly brokers: readonly string[];
      /** With `{hub}`. */
      readonly topic: string;
      readonly tls: boolean;
      readonly sasl: {
        readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
        readonly username: string;
        readonly password: string;
      } | null;
      readonly attributeStyle: "kafka" | "amqp";
    }
  | {
      readonly type: "Nats";
      readonly servers: readonly string[];
      /** With `{hub}`, `{kind}` and `{event}`. */
      readonly subject: string;
      readonly jetStream: boolean;
      readonly credentials:
        | { readonly kind: "none" }
        | { readonly kind: "password"; readonly username: string; readonly password: string }
        | { readonly kind: "token"; readonly token: string }
        /** Content of a `.creds` file. */
        | { readonly kind: "file"; readonly content: string };
    }
  | {
      readonly type: "HttpBatch";
      /** With `{hub}`. */
      readonly url: string;
      readonly auth: HandlerAuth;
    };

/** One event listener as configured. */
export interface EventListenerSettings {
  readonly filter: {
    readonly systemEvents: readonly ("connected" | "disconnected")[];
    /** Empty: no user events. */
    readonly userEventPattern: string;
  };
  readonly endpoint: ListenerEndpoint;
}

/** The listeners of all hubs. */
export interface ListenersSettings {
  /** By hub with settings of its own; a hub in here has these listeners and no others. */
  readonly hubs: ReadonlyMap<HubName, readonly EventListenerSettings[]>;
  /** Of every other hub. */
  readonly defaultHub: readonly EventListenerSettings[];
}
