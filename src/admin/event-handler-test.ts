import { type Config, type EventHandlerConfig, hubSettings } from "../config/config.ts";
import { spellingOf, withEntry } from "../config/overlay.ts";
import { isRawObject, type RawObject } from "../config/raw-tree.ts";
import { defaultHubNames } from "../config/schema-hubs.ts";
import { parseHubName } from "../core/names.ts";
import { truncateUtf8 } from "../core/utf8.ts";
import { type Answer, badRequest, failure, invalidSettings, ok } from "./answers.ts";
import { hubProperties } from "./hub-view.ts";
import { foreignSecret, keepSecrets, masked } from "./secrets.ts";
import type { AdminService, EventHandlerTest } from "./settings.ts";

const maxBodyBytes = 2048;
/** Ours: a shorter text is no secret, and would be found in every answer. */
const minSecretLength = 4;
/** Stands for `{hub}` where the handler is that of all hubs. */
const anyHub = "default";

/** A handler to be tested, secrets inserted, with the configuration it is part of. */
interface Candidate {
  readonly handler: EventHandlerConfig;
  readonly config: Config;
}

/**
 * `POST /admin/hubs/{hub}/testEventHandler`: validates one handler, as given in `properties` or the one at `index`, and
 * shows what was asked and answered. The rules of `PUT` hold for what is given; nothing is kept of it.
 */
export async function testEventHandler(service: AdminService, hubName: string, body: unknown): Promise<Answer> {
  const hub = defaultHubNames.includes(hubName) ? anyHub : parseHubName(hubName);
  if (hub === null) return badRequest("This is not the name of a hub.");
  const candidate = readCandidate(service, hubName, body);
  if ("status" in candidate) return candidate;
  const test = await service.testEventHandler(candidate.handler, hub);
  service.log(`The administration API tested an event handler of hub ${hubName}: ${test.outcome}.`);
  return ok(shown(test, service.secretsOf(candidate.config)));
}

function readCandidate(service: AdminService, hubName: string, body: unknown): Candidate | Answer {
  const { index, properties, ...others } = isRawObject(body) ? body : {};
  if (Object.keys(others).length > 0 || (index === undefined) === (properties === undefined))
    return badRequest('The body must be {"properties": …}, one event handler, or {"index": …}.');
  if (properties !== undefined) return readGiven(service, hubName, properties);
  const { config } = service.state;
  const handler = typeof index === "number" ? hubSettings(config, hubName).eventHandlers[index] : undefined;
  if (handler !== undefined) return { handler, config };
  return failure(404, "ResourceNotFound", `Hub ${JSON.stringify(hubName)} has no event handler at this index.`);
}

/** Checks a handler as a change of the hub's settings would be. */
function readGiven(service: AdminService, hubName: string, given: unknown): Candidate | Answer {
  const { state } = service;
  const spelling = spellingOf(state.tree, hubName);
  const current: RawObject = (spelling === null ? null : hubProperties(state, spelling)) ?? {};
  const kept = keepSecrets({ eventHandlers: [given] }, current);
  if (!kept.ok) return invalidSettings([{ path: `hubs.${hubName}.${kept.path}`, message: foreignSecret }]);
  const path = ["hubs", spelling ?? hubName];
  const trial = service.tryOut((overlay) => withEntry(overlay, { path, value: kept.properties }));
  if (!trial.ok) return invalidSettings(trial.problems);
  const [handler] = hubSettings(trial.config, hubName).eventHandlers;
  return handler === undefined ? badRequest("This is no event handler.") : { handler, config: trial.config };
}

/** The result without secrets; the body is cut only after, or a part of one would be left. */
function shown({ request, response, ...test }: EventHandlerTest, secrets: readonly string[]): object {
  const forms = secrets
    .filter((secret) => secret.length >= minSecretLength)
    .flatMap((secret) => [secret, encodeURIComponent(secret.toWellFormed()), decoded(secret)])
    .toSorted((one, other) => other.length - one.length);
  const safe = (text: string): string => forms.reduce((result, secret) => result.replaceAll(secret, masked), text);
  return {
    ...test,
    message: safe(test.message),
    request:
      request === null ? null : { ...request, url: safe(request.url), headers: headersOf(request.headers, safe) },
    response:
      response === null
        ? null
        : {
            status: response.status,
            headers: headersOf(response.headers, safe),
            body: truncateUtf8(safe(response.body), maxBodyBytes),
          },
  };
}

/** A secret that stands in a URL may be escaped as it is, and be said back in plain. */
function decoded(secret: string): string {
  try {
    return decodeURIComponent(secret);
  } catch {
    return secret;
  }
}

/** Headers by name, as spelled first; repeated ones are joined as HTTP has it. */
function headersOf(lines: readonly string[], safe: (text: string) => string): Readonly<Record<string, string>> {
  const byName = new Map<string, readonly [name: string, value: string]>();
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const [name = "", value = ""] = lines.slice(index, index + 2);
    const earlier = byName.get(name.toLowerCase());
    byName.set(name.toLowerCase(), earlier === undefined ? [name, value] : [earlier[0], `${earlier[1]}, ${value}`]);
  }
  return Object.fromEntries([...byName.values()].map(([name, value]) => [safe(name), safe(value)]));
}
