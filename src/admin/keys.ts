import { generateAccessKey } from "../config/keys.ts";
import { entryAt, withEntry, withoutEntry } from "../config/overlay.ts";
import { isRawObject } from "../config/raw-tree.ts";
import { type Answer, badRequest, invalidSettings, ok } from "./answers.ts";
import type { AdminService } from "./settings.ts";

/** `POST /admin/keys`: the body of ARM's `listKeys`; the secondary members are null without a secondary key (M-8). */
export function listKeys(service: AdminService): Answer {
  const { config } = service.state;
  const strings = service.connectionStrings(config);
  const { primary, secondary } = config.service.keys;
  return ok({
    primaryKey: primary,
    secondaryKey: secondary,
    primaryConnectionString: strings.primary,
    secondaryConnectionString: strings.secondary,
  });
}

/**
 * `POST /admin/keys/regenerate`: one key is new from now on. Tokens of the old one are refused at once, those of the other
 * key go on working, and connections stay (M-7).
 */
export function regenerateKey(service: AdminService, body: unknown): Answer {
  const name = keyName(body);
  if (name === null) return wrongKeyType;
  const entry = { path: ["service", "keys", name], value: generateAccessKey() };
  const problems = service.change((overlay) => withEntry(overlay, entry));
  if (problems.length > 0) return invalidSettings(problems);
  service.log(`The administration API regenerated the ${name} access key.`);
  return listKeys(service);
}

/** `POST /admin/keys/restore`: the key is again the one of the configuration, or the generated one of the data folder. */
export function restoreKey(service: AdminService, body: unknown): Answer {
  const name = keyName(body);
  if (name === null) return wrongKeyType;
  const path = ["service", "keys", name];
  if (entryAt(service.state.overlay, path) === undefined) return listKeys(service);
  const problems = service.change((overlay) => withoutEntry(overlay, path));
  if (problems.length > 0) return invalidSettings(problems);
  service.log(`The administration API restored the configured ${name} access key.`);
  return listKeys(service);
}

const wrongKeyType = badRequest('The body must be {"keyType":"Primary"} or {"keyType":"Secondary"}.');

function keyName(body: unknown): "primary" | "secondary" | null {
  const type = isRawObject(body) ? body["keyType"] : null;
  const lower = typeof type === "string" ? type.toLowerCase() : null;
  return lower === "primary" || lower === "secondary" ? lower : null;
}
