import { type Answer, badRequest, failure, toResponse } from "./answers.ts";
import { getConnection, listConnections, listGroups, listUsers } from "./connections.ts";
import { testEventHandler } from "./event-handler-test.ts";
import { deleteHub, getHub, listHubs, putHub, restoreHub } from "./hubs.ts";
import { listKeys, regenerateKey, restoreKey } from "./keys.ts";
import { getLiveTrace, mintTraceToken, patchLiveTrace, restoreLiveTrace } from "./live-trace.ts";
import { getNetworkRules, patchNetworkRules, restoreNetworkRules } from "./network-rules.ts";
import type { AdminService } from "./settings.ts";
import { getStatus } from "./status.ts";

interface Call {
  readonly service: AdminService;
  /** Name of the hub in the path, where the route has one; of the thing below it, where there is one. */
  readonly hub: string;
  readonly item: string;
  readonly query: URLSearchParams;
  /** The body as JSON; undefined without one. */
  readonly body: unknown;
}

/** Where a request goes: both as on the request line, the query without the question mark. */
export interface AdminPath {
  readonly path: string;
  readonly query: string;
}

type Operation = (call: Call) => Answer | Promise<Answer>;

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
  {
    path: /^\/admin\/hubs\/([^/]+)\/testEventHandler$/i,
    methods: { POST: ({ service, hub, body }) => testEventHandler(service, hub, body) },
  },
  {
    path: /^\/admin\/hubs\/([^/]+)\/connections\/([^/]+)$/i,
    methods: { GET: ({ service, hub, item }) => getConnection(service, hub, item) },
  },
  { path: /^\/admin\/connections$/i, methods: { GET: ({ service, query }) => listConnections(service, query) } },
  { path: /^\/admin\/groups$/i, methods: { GET: ({ service, query }) => listGroups(service, query) } },
  { path: /^\/admin\/users$/i, methods: { GET: ({ service, query }) => listUsers(service, query) } },
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
  {
    path: /^\/admin\/liveTrace$/i,
    methods: {
      GET: ({ service }) => getLiveTrace(service),
      PATCH: ({ service, body }) => patchLiveTrace(service, body),
    },
  },
  { path: /^\/admin\/liveTrace\/restore$/i, methods: { POST: ({ service }) => restoreLiveTrace(service) } },
  { path: /^\/admin\/liveTrace\/token$/i, methods: { POST: ({ service, body }) => mintTraceToken(service, body) } },
];

/**
 * The administration API: hubs, keys, network rules, live trace, what is connected and status of a running service; null for a path it does not have.
 *
 * Changes are checked like a configuration file, written to the overlay and in force when the answer is given; they close
 * no connection. Two changes never overlap. The caller has checked host and token.
 */
export async function handleAdmin(
  service: AdminService,
  request: Request,
  target: AdminPath,
): Promise<Response | null> {
  for (const route of routes) {
    const match = route.path.exec(target.path);
    if (match === null) continue;
    const operation = Object.hasOwn(route.methods, request.method) ? route.methods[request.method] : undefined;
    if (operation === undefined) {
      const refusal = failure(405, "MethodNotAllowed", `${request.method} is not possible here.`);
      return toResponse({ ...refusal, headers: { Allow: Object.keys(route.methods).join(", ") } });
    }
    const [hub, item] = [decoded(match[1] ?? ""), decoded(match[2] ?? "")];
    if (hub === null || item === null) return toResponse(badRequest("The path is not correctly encoded."));
    const body = await readJson(request);
    if (!body.ok) return toResponse(badRequest("The body is not JSON."));
    const query = new URLSearchParams(target.query);
    return toResponse(await operation({ service, hub, item, query, body: body.value }));
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
