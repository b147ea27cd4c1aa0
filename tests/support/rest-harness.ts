import { SignJWT } from "jose";
import { createAccessKeys } from "../../src/auth/access-keys.ts";
import { type AudiencePolicy, createAudienceValidator } from "../../src/auth/audience.ts";
import { createFilterCache } from "../../src/core/filter/filter-cache.ts";
import type { Operations } from "../../src/core/operations.ts";
import type { Caller, LogFields } from "../../src/core/ports.ts";
import type { RestAccess } from "../../src/rest/authorize.ts";
import type { RestReport } from "../../src/rest/report.ts";
import { createRest, type RestOptions } from "../../src/rest/rest.ts";

export const primaryKey = "primary-key-primary-key-primary-key!";
export const secondaryKey = "secondary-key-secondary-key-second!";
/** Where the fake clock stands, in seconds. */
export const nowSeconds = 1_800_000_000;

type Name = keyof Operations;
/** The answers of the recording operations, by name; what is not given is the ordinary success. */
export type Answers = {
  [Key in Name]?: (argument: Parameters<Operations[Key]>[0]) => Awaited<ReturnType<Operations[Key]>>;
};

/** One call that reached the operations. */
export interface Recorded {
  readonly name: Name;
  readonly args: readonly unknown[];
}

/** A request of a test. `auth` undefined: a fresh key token for exactly this URL; null: no header; otherwise the token. */
export interface TestRequest {
  readonly auth?: string | null;
  readonly headers?: Readonly<Record<string, string>> | Headers;
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>;
  readonly caller?: Partial<Caller>;
}

export interface HarnessOptions {
  readonly answers?: Answers;
  readonly access?: Partial<RestAccess>;
  readonly audience?: Partial<AudiencePolicy>;
  readonly rest?: Partial<RestOptions>;
  readonly pathBase?: string;
}

/** Signs a REST token with jose, not with our own code. */
export function signKeyToken(claims: Readonly<Record<string, unknown>>, key: string = primaryKey): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(new TextEncoder().encode(key));
}

/** The REST room with real authentication over operations that record; requests go in directly, without a socket. */
export function createHarness(options: HarnessOptions = {}) {
  const recorded: Recorded[] = [];
  const reports: RestReport[] = [];
  const logs: { readonly level: string; readonly event: string; readonly fields: LogFields }[] = [];
  const keys = createAccessKeys({ primary: primaryKey, secondary: secondaryKey });
  const pathBase = options.pathBase ?? "";
  const audience = { publicEndpoints: [], pathBase, validateHost: true, ...options.audience };
  const access: RestAccess = {
    keys: keys.all,
    oidc: null,
    audience: createAudienceValidator(audience),
    skewSeconds: 300,
    mintingKey: keys.primary,
    publicEndpoints: [],
    ...options.access,
  };

  const rest = createRest({
    operations: recordOperations(recorded, options.answers ?? {}),
    clock: { now: () => nowSeconds * 1000 },
    filters: createFilterCache(100),
    access: () => access,
    maxBodyBytes: 1_048_576,
    compat: { keepEncodedSlash: false, permissionWithoutTargetMeansAll: false },
    continuationKey: new TextEncoder().encode("continuation-key-continuation-key!"),
    corsOrigins: ["*"],
    isReady: () => true,
    throttledForSeconds: () => 0,
    telemetry: { log: (level, event, fields) => void logs.push({ level, event, fields }), messages: null },
    report: (report) => void reports.push(report),
    ...options.rest,
  });

  /** Sends `METHOD /path?query`; a body of known size gets its Content-Length as the HTTP layer would give it. */
  async function send(line: string, init: TestRequest = {}): Promise<Response> {
    const [method = "", target = ""] = line.split(/ (.*)/s);
    const [path = "", query = ""] = target.split(/\?(.*)/s);
    const caller: Caller = {
      address: "192.0.2.1",
      scheme: "http",
      host: "localhost",
      audienceHosts: [init.caller?.host ?? "localhost"],
      certificate: null,
      ...init.caller,
    };
    const headers = new Headers(init.headers);
    const aud = `${caller.scheme}://${caller.host}${pathBase}${target}`;
    const auth = init.auth === undefined ? await signKeyToken({ aud, exp: nowSeconds + 3600 }) : init.auth;
    if (auth !== null) headers.set("authorization", `Bearer ${auth}`);
    const body = typeof init.body === "string" ? new TextEncoder().encode(init.body) : init.body;
    const length = body instanceof Uint8Array ? body.byteLength : 0;
    if (body instanceof ReadableStream) headers.set("transfer-encoding", "chunked");
    else if (!headers.has("content-length") && method !== "GET" && method !== "HEAD")
      headers.set("content-length", `${length}`);
    const request = new Request("http://unused.invalid/", { method, headers, ...(body === undefined ? {} : { body }) });
    return rest.handle({ request, path, query, caller, pathBase });
  }

  return { rest, send, recorded, reports, logs };
}

function recordOperations(recorded: Recorded[], answers: Answers): Operations {
  const note = (name: Name, args: readonly unknown[]) => void recorded.push({ name, args });
  return {
    publish(publication) {
      note("publish", [publication]);
      return answers.publish?.(publication) === "down" ? Promise.resolve("down") : "done";
    },
    exists: async (hub, subject) => {
      note("exists", [hub, subject]);
      return answers.exists?.(hub) ?? "yes";
    },
    changeMembership: async (request) => {
      note("changeMembership", [request]);
      return answers.changeMembership?.(request) ?? "done";
    },
    changeMembershipWhere: async (request) => {
      note("changeMembershipWhere", [request]);
      return answers.changeMembershipWhere?.(request) ?? "done";
    },
    permission: async (request) => {
      note("permission", [request]);
      return answers.permission?.(request) ?? "done";
    },
    closeConnections: async (request) => {
      note("closeConnections", [request]);
      return answers.closeConnections?.(request) ?? "done";
    },
    listMembers: async (request) => {
      note("listMembers", [request]);
      return answers.listMembers?.(request) ?? [];
    },
  };
}
