import { type FaultName, faults } from "../core/faults.ts";

/** The faults that can arise over REST. */
export type RestFaultName = {
  [Name in FaultName]: (typeof faults)[Name]["http"] extends number ? Name : never;
}[FaultName];

/** What a handler answers: a status, at most one JSON text as body, and headers of its own. */
export interface Reply {
  readonly status: number;
  /** JSON text; null: no body. */
  readonly json: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An expected failure on its way to the caller: a row of the fault table with what is special about this occurrence. */
export class Problem {
  readonly fault: RestFaultName;
  /** Shown to the caller: a sentence without secrets. */
  readonly message: string;
  /** What the failure is about, such as `Request`, `Connection` or the name of a parameter; null: nothing to name. */
  readonly target: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(fault: RestFaultName, message: string, about: Partial<Pick<Problem, "target" | "headers">> = {}) {
    this.fault = fault;
    this.message = message;
    this.target = about.target ?? null;
    this.headers = about.headers ?? {};
  }
}

export type Outcome = Reply | Problem;

/** A request that does not follow the API: 400 `Error.BadRequest`; `target` is a parameter name where 5.2 lists one. */
export function badRequest(message: string, target = "Request"): Problem {
  return new Problem("badRequest", message, { target });
}

/** Some node could not be reached, so the operation was refused as a whole or in part: 503, which SDKs repeat (K-6). */
export function clusterDown(): Problem {
  return new Problem("stopped", "Part of the service cannot be reached at the moment.");
}

/** An answer without a body. */
export function emptyReply(status: number): Reply {
  return { status, json: null };
}

/**
 * Turns a problem into an answer: `{code,message,target}` at top level, and the code again as `x-ms-error-code`, where
 * .NET and HEAD callers find it.
 * @spec R-37 R-38
 */
export function problemReply(problem: Problem): Reply {
  const { http, code } = faults[problem.fault];
  const target = problem.target === null ? {} : { target: problem.target };
  return {
    status: http,
    json: JSON.stringify({ code, message: problem.message, ...target }),
    headers: { ...problem.headers, "x-ms-error-code": code },
  };
}
