import { expect } from "bun:test";
import type { HttpResponse } from "./http-response.ts";

/** The error object of the REST API. */
export interface ProblemBody {
  readonly code: string;
  readonly message: string;
  readonly target?: string;
}

/** The answer is exactly this error, its code also in the header. */
export function expectProblem(response: HttpResponse, status: number, body: ProblemBody): void {
  if (response.status !== status) throw new Error(`${response.status} instead of ${status}: ${response.text}`);
  expect(response.json).toEqual({ ...body });
  expect(response.header("x-ms-error-code")).toBe(body.code);
  expect(response.header("content-type")).toBe("application/json; charset=utf-8");
}

/** The answer is a 400 with this message. */
export function expectBadRequest(response: HttpResponse, message: string, target = "Request"): void {
  expectProblem(response, 400, { code: "Error.BadRequest", message, target });
}

/** The answer has this status and no body; 204 has no `Content-Length` either. */
export function expectEmpty(response: HttpResponse, status: number): void {
  expect({ status: response.status, text: response.text }).toEqual({ status, text: "" });
  expect(response.header("content-length")).toBe(status === 204 ? null : "0");
}

/** A 404 of a HEAD request, which says why in a header alone. */
export function expectAbsent(response: HttpResponse, code: string): void {
  expect({ status: response.status, code: response.header("x-ms-error-code") }).toEqual({ status: 404, code });
}
