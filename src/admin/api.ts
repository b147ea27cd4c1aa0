import { type Answer, badRequest, failure, toResponse } from "./answers.ts";
import { deleteHub, getHub, listHubs, putHub, restoreHub } from "./hubs.ts";
import { listKeys, regenerateKey, restoreKey } from "./keys.ts";
import { getNetworkRules, patchNetworkRules, restoreNetworkRules } from "./network-rules.ts";
import type { AdminService } from "./settings.ts";
import { getStatus } from "./status.ts";

interface Call {
  readonly service: AdminService;
  /** Name of the hub in the path, where the route has one. */
  readonly hub: string;
  /** The body as JSON; undefined without one. */
  readonly body: unknown;
}

type Operation = (call: Call) => Answer;

interface Route {
  readonly path: RegExp;
  readonly methods: Readonly<Record<string, Operation>>;
}

/** Every operation (management 18). Reading keys is a POST as in Azure, so that no cache and no link holds them. */
const routes: readonly Route[] = [
  { path: /^\/admin\/status$/i, methods: { GET: ({ service }) => getStatus(service) } },
  { path: /^\/admin\/hubs$/i, methods: { GET: ({ service }) => listHubs(service) } },
  {
    path: /^\/admin\/hubs\/([^/]+)$/i,
    methods: {
      GET: ({ service, hub }) => getHub(service, hub),
      PUT: ({ service, hub, body }) => putHub(service, hub, body),
      DELETE: ({ service, hub }) => deleteHub(service, hub),
    },
  },
  { path: /^\/admin\/hubs\/([^/]+)\/restore$/i, methods: { POST: ({ service, hub }) => restoreHub(service, hub) } },
  { path: /^\/admin\/keys$/i, methods: { POST: ({ service }) => listKeys(service) } },
  { path: /^\/admin\/keys\/regenerate$/i, methods: { POST: ({ service, body }) => regenerateKey(service, body) } },
  { path: /^\/admin\/keys\/restore$/i, methods: { POST: ({ service, body }) => restoreKey(service, body) } },
  {
    path: /^\/admin\/networkRules$/i,
    methods: {
      GET: ({ service }) => getNetworkRules(service),
      PATCH: ({ service, body }) => patchNetworkRules(service, body),
    },
  },
  { path: /^\/admin\/networkRules\/restore$/i, methods: { POST: ({ service }) => restoreNetworkRules(service) } },
];

/**
 * The administration API: hubs, keys, network rules and status of a running service; null for a path it does not have.
 *
 * Changes are checked like a configuration file, written to the overlay and in force when the answer is given; they close
 * no connection. Two changes never overlap. The caller has checked host and token.
 */
export async function handleAdmin(service: AdminService, request: Request, path: string): Promise<Response | null> {
  for (const route of routes) {
    const match = route.path.exec(path);
    if (match === null) continue;
    const operation = Object.hasOwn(route.methods, request.method) ? route.methods[request.method] : undefined;
    if (operation === undefined) {
      const refusal = failure(405, "MethodNotAllowed", `${request.method} is not possible here.`);
      return toResponse({ ...refusal, headers: { Allow: Object.keys(route.methods).join(", ") } });
    }
    const hub = decoded(match[1] ?? "");
    if (hub === null) return toResponse(badRequest("The path is not correctly encoded."));
    const body = await readJson(request);
    if (!body.ok) return toResponse(badRequest("The body is not JSON."));
    return toResponse(operation({ service, hub, body: body.value }));
  }
  return null;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

async function readJson(
  request: Request,
): Promise<{ readonly ok: true; readonly value: unknown } | { readonly ok: false }> {
  const text = await request.text();
  if (text === "") return { ok: true, value: undefined };
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch {
    return { ok: false };
  }
}
