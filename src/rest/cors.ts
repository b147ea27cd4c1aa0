import { emptyReply, type Reply } from "./errors.ts";

/** The cross-origin rules of the API (rest-api 17.1); there is no credentials mode. */
export interface Cors {
  /** Headers of every answer, whoever asks. */
  readonly fixed: Readonly<Record<string, string>>;
  /** Adds what depends on the origin of the request. */
  addTo(answer: Headers, request: Headers): void;
  /** Answers `OPTIONS` without authentication; an origin that is not allowed finds no permission in it. */
  preflight(request: Headers): Reply;
}

const exposed = { "access-control-expose-headers": "x-ms-error-code, x-ms-client-request-id, api-supported-versions" };

/** Builds the rules for a list of origins, compared exactly; `*` allows every origin. */
export function createCors(allowedOrigins: readonly string[]): Cors {
  const allowsAll = allowedOrigins.includes("*");
  const isAllowed = (origin: string | null): origin is string => origin !== null && allowedOrigins.includes(origin);
  return {
    fixed: allowsAll ? { "access-control-allow-origin": "*", ...exposed } : { ...exposed, vary: "Origin" },
    addTo(answer, request) {
      if (allowsAll) return;
      const origin = request.get("origin");
      if (isAllowed(origin)) answer.set("access-control-allow-origin", origin);
    },
    preflight(request) {
      if (!allowsAll && !isAllowed(request.get("origin"))) return emptyReply(204);
      const headers = request.get("access-control-request-headers");
      return {
        status: 204,
        json: null,
        headers: {
          "access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
          ...(headers === null ? {} : { "access-control-allow-headers": headers }),
          "access-control-max-age": "86400",
        },
      };
    },
  };
}
