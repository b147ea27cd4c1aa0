/** What the service answered instead of what was asked, in words that can be shown. */
export class ApiError extends Error {
  /** HTTP status; 0: the service cannot be reached. */
  readonly status: number;
  /** Wrong settings by their path, where the answer names them. */
  readonly details: readonly { readonly target: string; readonly message: string }[];

  constructor(status: number, message: string, details: ApiError["details"] = []) {
    super(message);
    this.status = status;
    this.details = details;
  }
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD";

export interface CallOptions {
  readonly method?: Method;
  /** Sent as JSON; a string or bytes with `contentType` as they are. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

/** Where sessions begin and end. */
const sessionPath = "/console/session";

/**
 * The page's half of the session: the service wants it with every request, beside a cookie that no script reads. It is kept
 * where only pages of this origin look, so that it is of no use for other ports of this host, which get the cookie.
 */
const keyName = "tidewire-session-key";

/** Signs in with a token; rejects with the reason. */
export async function signIn(token: string): Promise<void> {
  const { key } = await call<{ readonly key: string }>(sessionPath, { method: "POST", body: { token } });
  localStorage.setItem(keyName, key);
}

/** Whether this browser is signed in. */
export async function isSignedIn(): Promise<boolean> {
  return (await call<{ readonly signedIn: boolean }>(sessionPath)).signedIn;
}

/** Ends the session. */
export async function signOut(): Promise<void> {
  await call(sessionPath, { method: "DELETE" });
  localStorage.removeItem(keyName);
}

/** Event of `window` that says the session is over. */
export const signedOutEvent = "tidewire-signed-out";

/** One request to the listener this page comes from; rejects with an `ApiError` unless the status is a success. */
export async function request(path: string, options: CallOptions = {}): Promise<Response> {
  const { method = "GET", body, contentType, signal } = options;
  const isJson = body !== undefined && contentType === undefined;
  const response = await fetch(path, {
    method,
    headers: {
      "X-Tidewire-Console": localStorage.getItem(keyName) ?? "none",
      ...(body !== undefined && { "Content-Type": contentType ?? "application/json" }),
    },
    ...(body !== undefined && { body: isJson ? JSON.stringify(body) : (body as BodyInit) }),
    ...(signal !== undefined && { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted === true) throw error;
    throw new ApiError(0, "The service does not answer. It may be stopped or starting again.");
  });
  if (response.ok) return response;
  // A wrong token at the door is no session that ended.
  if (response.status === 401 && path !== sessionPath) window.dispatchEvent(new Event(signedOutEvent));
  throw await failure(response);
}

/** As `request`, with the answer's JSON; undefined where there is none. */
export async function call<Result>(path: string, options: CallOptions = {}): Promise<Result> {
  const text = await (await request(path, options)).text();
  return (text === "" ? undefined : JSON.parse(text)) as Result;
}

async function failure(response: Response): Promise<ApiError> {
  const text = await response.text();
  const { message, details } = describe(text);
  return new ApiError(response.status, message ?? `The service answered ${response.status}.`, details);
}

/** Reads the error bodies of the administration API and of the data plane. */
function describe(text: string): { readonly message: string | null; readonly details: ApiError["details"] } {
  let parsed: unknown = null;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { message: text === "" || text.length > 500 ? null : text, details: [] };
  }
  const outer = isObject(parsed) ? parsed : {};
  const error = isObject(outer["error"]) ? outer["error"] : outer;
  const details = Array.isArray(error["details"]) ? error["details"].filter(isObject) : [];
  const message = [error["message"], outer["error"]].find((value) => typeof value === "string");
  return {
    message: typeof message === "string" ? message : null,
    details: details.map(({ target, message: why }) => ({ target: String(target), message: String(why) })),
  };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;
