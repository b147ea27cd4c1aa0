import type { Sessions } from "./sessions.ts";

/** A file of the bundled page. */
export interface Asset {
  /** Path below the root, such as `/` or `/console/app-1a2b.js`. */
  readonly path: string;
  readonly contentType: string;
  readonly body: Blob;
  /** Its name changes with its content, so browsers may keep it. */
  readonly isImmutable: boolean;
}

export interface ConsoleOptions {
  readonly sessions: Sessions;
  /** Builds the page; called when somebody first asks for it. */
  readonly assets: () => Promise<readonly Asset[]>;
  /** Where the page may open WebSockets: the service's endpoints, `http:` or `https:`. */
  readonly endpoints: () => readonly string[];
  /** Somebody tried a wrong token. */
  readonly refused: (request: Request) => void;
}

/** The web console's own part of the administration listener: its page and who is signed in. */
export interface Console {
  /** Answers what needs no sign-in; null: not a path of the console. */
  handle(request: Request, path: string): Promise<Response | null>;
  /** Whether the request comes from a signed-in console. */
  isSignedIn(request: Request): boolean;
}

/**
 * A header that every request of the console carries, with the session's key once there is one: no page of another origin
 * can set it without a CORS answer, and there is none. With `SameSite=Strict` this keeps other pages from acting in the name
 * of whoever is signed in; the key keeps those out who get the cookie because they listen on another port of this host.
 */
const marker = "x-tidewire-console";
const maxSecretLength = 1000;
const sessionPath = "/console/session";

/** Creates the console. The page holds no secret, so everybody who reaches the listener may load it (H-55, H-58). */
export function createConsole(options: ConsoleOptions): Console {
  const { sessions } = options;
  let building: Promise<ReadonlyMap<string, Asset>> | null = null;
  const assets = async (): Promise<ReadonlyMap<string, Asset>> => {
    building ??= options.assets().then((built) => new Map(built.map((asset) => [asset.path, asset])));
    try {
      return await building;
    } catch (error) {
      building = null; // the next request tries again
      throw error;
    }
  };
  const isMarked = (request: Request): boolean => request.headers.get(marker) !== null;
  const isSignedIn = (request: Request): boolean =>
    sessions.has(request.headers.get("cookie"), request.headers.get(marker));
  return {
    isSignedIn,
    async handle(request, path) {
      if (path === sessionPath) {
        if (!isMarked(request)) return answer(403, { error: `The header ${marker} is missing.` });
        return session(options, request, isSignedIn(request));
      }
      if (request.method !== "GET" && request.method !== "HEAD") return null;
      const asset = (path === "/" || path.startsWith("/console/") ? await assets() : null)?.get(path);
      return asset === undefined ? null : assetResponse(asset, options.endpoints());
    },
  };
}

/** GET: whether this browser is signed in. POST: signs in. DELETE: signs out. */
async function session(
  { sessions, refused }: ConsoleOptions,
  request: Request,
  isSignedIn: boolean,
): Promise<Response> {
  switch (request.method) {
    case "GET":
      return answer(200, { signedIn: isSignedIn });
    case "POST": {
      const session = sessions.signIn(secretOf(await request.text()));
      if (session !== null) return answer(200, { signedIn: true, key: session.key }, session.cookie);
      refused(request);
      return answer(401, { error: "This token is not the one of this service." });
    }
    case "DELETE":
      return answer(200, { signedIn: false }, sessions.signOut(request.headers.get("cookie")));
    default:
      return answer(405, { error: `${request.method} is not possible here.` });
  }
}

function secretOf(body: string): string {
  if (body.length > maxSecretLength) return "";
  try {
    const parsed: unknown = JSON.parse(body);
    const isObject = typeof parsed === "object" && parsed !== null && "token" in parsed;
    return isObject && typeof parsed.token === "string" ? parsed.token.trim() : "";
  } catch {
    return "";
  }
}

function answer(status: number, body: unknown, cookie?: string): Response {
  return Response.json(body, {
    status,
    headers: {
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
      ...(cookie !== undefined && { "Set-Cookie": cookie }),
    },
  });
}

function assetResponse(asset: Asset, endpoints: readonly string[]): Response {
  return new Response(asset.body, {
    headers: {
      "Content-Type": asset.contentType,
      "Cache-Control": asset.isImmutable ? "public, max-age=31536000, immutable" : "no-cache",
      "Content-Security-Policy": contentSecurityPolicy(endpoints),
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Resource-Policy": "same-origin",
      "Referrer-Policy": "no-referrer",
      "X-Content-Type-Options": "nosniff",
      "X-Frame-Options": "DENY",
    },
  });
}

/** Scripts and styles of this origin only, none inline; WebSockets to the service alone (H-58). */
function contentSecurityPolicy(endpoints: readonly string[]): string {
  const sockets = endpoints.map((endpoint) => new URL(endpoint).origin.replace(/^http/, "ws"));
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src ${["'self'", ...sockets].join(" ")}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
