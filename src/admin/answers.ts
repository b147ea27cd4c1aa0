import type { Problem } from "../config/problem.ts";

/** What a handler answers; null as body: none. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** 200 with this body. */
export function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** Nothing to say beyond the success. */
export const done: Answer = { status: 204, body: null };

/** An error in the shape of Azure Resource Manager: `{"error":{"code","message","details"}}`. Never holds a secret. */
export function failure(status: number, code: string, message: string): Answer {
  return { status, body: { error: { code, message } } };
}

/** 400: the request itself cannot be understood. */
export function badRequest(message: string): Answer {
  return failure(400, "BadRequest", message);
}

/** 400: the settings would not be valid; every problem is named with its setting. */
export function invalidSettings(problems: readonly Problem[]): Answer {
  const details = problems.map(({ path, message }) => ({ code: "InvalidSetting", target: path, message }));
  const [first] = problems;
  const message = first === undefined ? "The settings are not valid." : `${first.path} ${first.message}`;
  return { status: 400, body: { error: { code: "InvalidSettings", message, details } } };
}

/** The answer as HTTP. Pages of other origins learn nothing of it: there are no CORS headers. */
export function toResponse({ status, body, headers }: Answer): Response {
  return new Response(body === null ? null : JSON.stringify(body), {
    status,
    headers: {
      ...(body !== null && { "Content-Type": "application/json; charset=utf-8" }),
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
      ...headers,
    },
  });
}
