import type { HttpResponse } from "./http-response.ts";
import { rawRequest } from "./raw-http.ts";
import { type RestTokenOptions, restToken } from "./tokens.ts";

/** Where REST requests go and what signs them. */
interface RestTarget {
  readonly endpoint: string;
  readonly primaryKey: string;
  readonly ca?: string | undefined;
}

export interface RestRequest {
  /** HTTP method; default GET. */
  readonly method?: string;
  /** Path below the endpoint as it goes over the wire, query included: `/api/hubs/chat/:send?excluded=a`. */
  readonly path: string;
  /** `api-version` added to the query; null: none. */
  readonly apiVersion?: string | null;
  /** Body sent as `application/json`. */
  readonly json?: unknown;
  /** Body sent as `text/plain`, or bytes as `application/octet-stream`; a `Content-Type` in `headers` replaces that. */
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Full bearer token; null: no `Authorization`. Default: signed for exactly this URL. */
  readonly token?: string | null;
  readonly signing?: RestTokenOptions;
  readonly withinMs?: number;
}

const newestVersion = "2024-12-01";

/** One REST request over a connection of its own, its path and query untouched by any client library. */
export async function sendRest(target: RestTarget, request: RestRequest): Promise<HttpResponse> {
  const method = request.method ?? "GET";
  const version = request.apiVersion === undefined ? newestVersion : request.apiVersion;
  const path =
    version === null ? request.path : `${request.path}${request.path.includes("?") ? "&" : "?"}api-version=${version}`;
  const { pathname, host } = new URL(target.endpoint);
  const url = `${target.endpoint}${path}`;
  const token = request.token === undefined ? restToken(target, url, request.signing) : request.token;
  const body = bodyOf(request);
  const headers = new Map<string, readonly [string, string]>();
  const set = (name: string, value: string): unknown => headers.set(name.toLowerCase(), [name, value]);
  set("Host", host);
  set("Connection", "close");
  if (token !== null) set("Authorization", `Bearer ${token}`);
  if (body !== null) set("Content-Type", body.type);
  if (body !== null || method === "POST" || method === "PUT") set("Content-Length", String(body?.bytes.length ?? 0));
  for (const [name, value] of Object.entries(request.headers ?? {})) set(name, value);
  const head = [...headers.values()].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const base = pathname === "/" ? "" : pathname;
  const bytes = Buffer.concat([
    Buffer.from(`${method} ${base}${path} HTTP/1.1\r\n${head}\r\n`, "latin1"),
    body?.bytes ?? Buffer.alloc(0),
  ]);
  return rawRequest(target.endpoint, bytes, {
    isHead: method === "HEAD",
    ca: target.ca,
    withinMs: request.withinMs,
  });
}

function bodyOf({ json, body }: RestRequest): { readonly type: string; readonly bytes: Buffer } | null {
  if (json !== undefined) return { type: "application/json", bytes: Buffer.from(JSON.stringify(json)) };
  if (body === undefined) return null;
  if (typeof body === "string") return { type: "text/plain", bytes: Buffer.from(body) };
  return { type: "application/octet-stream", bytes: Buffer.from(body) };
}
