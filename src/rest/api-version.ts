import { badRequest, type Problem } from "./errors.ts";
import type { Query } from "./query.ts";

/** What depends on the version of a request; everything else is the same under every accepted one (rest-api 3). */
export interface ApiVersion {
  /** Success status of the DELETE operations: the SDK of 2021-05-01-preview throws on 204. */
  readonly deleteStatus: 200 | 204;
}

/** The published versions, newest last; also the value of `api-supported-versions`. */
export const supportedVersions = ["2021-10-01", "2022-11-01", "2023-07-01", "2024-01-01", "2024-12-01"] as const;

/** The version that `nextLink` asks for. */
export const newestVersion = "2024-12-01" satisfies (typeof supportedVersions)[number];

const current: ApiVersion = { deleteStatus: 204 };

const accepted: ReadonlyMap<string, ApiVersion> = new Map<string, ApiVersion>([
  ...supportedVersions.map((version) => [version, current] as const),
  // Previews that released SDKs send. Older ones had another meaning of user groups and are refused.
  ["2021-05-01-preview", { deleteStatus: 200 }],
  ["2021-08-01-preview", current],
  ["2022-10-01-preview", current],
]);

/**
 * Reads `api-version`: absent means the newest; compared exactly; repeated, empty or unknown is a 400.
 * @spec R-3 R-4 R-5
 */
export function readApiVersion(query: Query): ApiVersion | Problem {
  const [version, ...more] = query.all("api-version");
  if (version === undefined) return current;
  const known = more.length === 0 ? accepted.get(version) : undefined;
  return known ?? badRequest("The specified API version is not supported.", "api-version");
}
