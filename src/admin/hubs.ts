import { entryAt, spellingOf, withEntry, withoutEntry } from "../config/overlay.ts";
import { isRawObject } from "../config/raw-tree.ts";
import { type Answer, badRequest, done, failure, invalidSettings, ok } from "./answers.ts";
import { hubNames, hubProperties, hubResource } from "./hub-view.ts";
import { foreignSecret, keepSecrets } from "./secrets.ts";
import type { AdminService } from "./settings.ts";

/** What an exported hub resource has around its `properties`. */
const envelope: ReadonlySet<string> = new Set([
  "id",
  "name",
  "type",
  "systemData",
  "properties",
  "source",
  "isOverridden",
]);

/** `GET /admin/hubs`: all hubs with settings. */
export function listHubs({ state }: AdminService): Answer {
  return ok({ value: hubNames(state).map((name) => hubResource(state, name)) });
}

/** `GET /admin/hubs/{hub}`. */
export function getHub({ state }: AdminService, name: string): Answer {
  const resource = hubResource(state, name);
  return resource === null ? unknownHub(name) : ok(resource);
}

/** `PUT /admin/hubs/{hub}`: the settings are these from now on, for later events and connections (M-21). */
export function putHub(service: AdminService, name: string, body: unknown): Answer {
  if (!isRawObject(body) || !isRawObject(body["properties"]))
    return badRequest('The body must be an object with "properties".');
  const stranger = Object.keys(body).find((key) => !envelope.has(key));
  if (stranger !== undefined) return badRequest(`${JSON.stringify(stranger)} belongs inside "properties", or nowhere.`);
  const { name: named } = body;
  if (typeof named === "string" && named.toLowerCase() !== name.toLowerCase())
    return badRequest("The name in the body is not that of the path.");
  const { state } = service;
  const spelling = spellingOf(state.tree, name);
  const current = spelling === null ? null : hubProperties(state, spelling);
  const kept = keepSecrets(body["properties"], current ?? {});
  if (!kept.ok) return invalidSettings([{ path: `hubs.${name}.${kept.path}`, message: foreignSecret }]);
  const path = ["hubs", spelling ?? spellingOf(state.baseTree, name) ?? name];
  const problems = service.change((overlay) => withEntry(overlay, { path, value: kept.properties }));
  if (problems.length > 0) return invalidSettings(problems);
  service.log(`The administration API set the settings of hub ${name}.`);
  return { status: current === null ? 201 : 200, body: hubResource(service.state, name) };
}

/** `DELETE /admin/hubs/{hub}`: the hub has no settings any more, the configuration's own included; 204 either way. */
export function deleteHub(service: AdminService, name: string): Answer {
  const { state } = service;
  const spelling = spellingOf(state.tree, name);
  if (spelling === null) return done;
  const path = ["hubs", spelling];
  const isConfigured = spellingOf(state.baseTree, name) !== null;
  const problems = service.change((overlay) =>
    isConfigured ? withEntry(overlay, { path, value: null }) : withoutEntry(overlay, path),
  );
  if (problems.length > 0) return invalidSettings(problems);
  service.log(`The administration API removed the settings of hub ${name}.`);
  return done;
}

/** `POST /admin/hubs/{hub}/restore`: what the configuration says counts again; 204 when that is nothing. */
export function restoreHub(service: AdminService, name: string): Answer {
  const path = ["hubs", name];
  if (entryAt(service.state.overlay, path) !== undefined) {
    const problems = service.change((overlay) => withoutEntry(overlay, path));
    if (problems.length > 0) return invalidSettings(problems);
    service.log(`The administration API restored the configured settings of hub ${name}.`);
  }
  const resource = hubResource(service.state, name);
  return resource === null ? done : ok(resource);
}

function unknownHub(name: string): Answer {
  return failure(404, "ResourceNotFound", `Hub ${JSON.stringify(name)} has no settings; it works without.`);
}
