import { isRawObject, type RawObject, valueAt } from "../../config/raw-tree.ts";
import { type Failure, failed } from "../ending.ts";
import { callHttp, type HttpAnswer } from "../http.ts";
import type { AdminTarget } from "./admin-target.ts";

/** One operation of the administration API. */
export interface AdminCall {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Behind `/admin/`. */
  readonly path: readonly string[];
  readonly body?: RawObject;
}

export type AdminAnswer = { readonly ok: true; readonly body: RawObject } | Failure;

/** Calls the administration API; anything but success is a failure with what the service said, all of it in one line. */
export async function callAdmin(target: AdminTarget, { method, path, body }: AdminCall): Promise<AdminAnswer> {
  const answer = await callHttp({
    method,
    url: `${target.url}/admin/${path.map(encodeURIComponent).join("/")}`,
    headers: { Authorization: `Bearer ${target.token}`, ...(body !== undefined && contentType) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) return failed(`${answer.reason}; is service.adminListen configured?`);
  const parsed = parseJson(answer.body);
  if (answer.status < 200 || answer.status > 299) return refusal(answer, parsed);
  return { ok: true, body: isRawObject(parsed) ? parsed : {} };
}

const contentType = { "Content-Type": "application/json" };

function refusal({ status, statusText }: HttpAnswer, parsed: unknown): Failure {
  if (status === 401) return failed("the administration token is not that of this service");
  const details = valueAt(parsed, ["error", "details"]);
  const messages = Array.isArray(details)
    ? details.filter(isRawObject).map(({ target, message }) => `${String(target)}: ${String(message)}`)
    : [];
  const message = valueAt(parsed, ["error", "message"]);
  const told = messages.length > 0 ? messages.join("; ") : message;
  return failed(typeof told === "string" ? told : `the service answered ${`${status} ${statusText}`.trim()}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
