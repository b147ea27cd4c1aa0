import type { AccessKey } from "../auth/access-keys.ts";
import type { Config, EventHandlerConfig } from "../config/config.ts";
import type { ConfigState, ConfigWatch } from "../config/watch.ts";
import type { Inspector } from "../core/inspection.ts";

/** What the administration API reads of the running service, and does to it. */
export interface AdminService extends Pick<ConfigWatch, "change" | "tryOut"> {
  readonly state: ConfigState;
  connectionStrings(config: Config): { readonly primary: string; readonly secondary: string | null };
  status(): ServiceStatus;
  /** Signs tokens that the service itself will accept. */
  readonly mintingKey: AccessKey;
  /** Looks at what is connected. */
  readonly inspector: Pick<Inspector, "connections" | "connection" | "groups" | "users">;
  /** Validates an event handler of a hub once; the result is not masked. */
  testEventHandler(handler: EventHandlerConfig, hub: string): Promise<EventHandlerTest>;
  /** Every secret of a configuration that may be in what a handler is sent or answers. */
  secretsOf(config: Config): readonly string[];
  /** Notes a change for the operator; a sentence without secrets. */
  log(message: string): void;
}

/** What a test of an event handler came to, and the last request and answer; headers are `[name, value, …]`. */
export interface EventHandlerTest {
  readonly outcome: string;
  /** A sentence. */
  readonly message: string;
  readonly request: { readonly method: string; readonly url: string; readonly headers: readonly string[] } | null;
  readonly response: { readonly status: number; readonly headers: readonly string[]; readonly body: string } | null;
  readonly durationMs: number;
}

/** How the service is doing. */
export interface ServiceStatus {
  readonly version: string;
  readonly startedAt: Date;
  readonly isReady: boolean;
  /** URLs by which clients reach it, best first, and where it really listens. */
  readonly endpoints: readonly string[];
  readonly listening: readonly string[];
  /** Client connections by hub; hubs without any are left out. */
  readonly connections: ReadonlyMap<string, number>;
  readonly configurationFile: string | null;
}
