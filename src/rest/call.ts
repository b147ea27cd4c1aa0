import type { FilterCache } from "../core/filter/filter-cache.ts";
import type { MessageTrace } from "../core/message-trace.ts";
import type { HubName } from "../core/names.ts";
import type { Operations } from "../core/operations.ts";
import type { Caller, Clock, Telemetry } from "../core/ports.ts";
import type { ApiVersion } from "./api-version.ts";
import type { RestAccess } from "./authorize.ts";
import type { Continuations } from "./continuation.ts";
import type { Outcome } from "./errors.ts";
import type { Query } from "./query.ts";
import type { RawParameters } from "./router.ts";

/** What the operations of the API are carried out with. */
export interface RestServices {
  readonly operations: Operations;
  readonly clock: Clock;
  readonly filters: Pick<FilterCache, "parse">;
  /** The keys and rules of this moment; asked once per request, so a reload holds from the next request on. */
  access(): RestAccess;
  /** Biggest request body in bytes, as received: 1,048,576 by specification. */
  readonly maxBodyBytes: number;
  readonly compat: RestCompat;
  readonly telemetry: Pick<Telemetry, "messages">;
}

/** Switches towards the behaviour of Azure; all off by default. */
export interface RestCompat {
  /** `%2F` in a path segment stays literal. */
  readonly keepEncodedSlash: boolean;
  /** A permission operation without `targetName` is about all groups instead of a 400. */
  readonly permissionWithoutTargetMeansAll: boolean;
}

/** An authorized request of a known operation, with a valid version and hub. Names in `parameters` are unchecked. */
export interface Call {
  readonly request: Request;
  readonly caller: Caller;
  readonly pathBase: string;
  readonly hub: HubName;
  readonly parameters: RawParameters;
  readonly query: Query;
  readonly version: ApiVersion;
  readonly access: RestAccess;
  /** Null: nobody watches. */
  readonly trace: MessageTrace | null;
  readonly services: RestServices & { readonly continuations: Continuations };
}

/** Carries out one operation. Validates everything before its first effect (rest-api 2.5). */
export type Handler = (call: Call) => Outcome | Promise<Outcome>;
