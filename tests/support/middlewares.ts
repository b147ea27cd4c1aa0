/*
 * What two official handlers that cannot be installed here rely on (event-handlers 11.2 and 11.3), as answers of the recording
 * handler. They check requests as those libraries are documented to; nothing of their code is in here.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { parseConnectionString } from "./connection-string.ts";
import type { Answer, ReceivedRequest } from "./event-handler.ts";

/** Decides about one request, a validation or an event. */
export type Middleware = (request: ReceivedRequest) => Answer;

const required = ["ce-connectionId", "ce-hub", "ce-type", "ce-eventName"] as const;

/** Split at commas and not trimmed, as both official handlers do. */
const elements = (value: string | null): readonly string[] => (value === null ? [] : value.split(","));

function areEqual(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left.toLowerCase()), Buffer.from(right.toLowerCase())];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Whether one signature element is that of the key, for a service that one of the origins names. */
function isSigned(request: ReceivedRequest, service: { readonly host: string; readonly accessKey: string }): boolean {
  if (!elements(request.header("WebHook-Request-Origin")).includes(service.host)) return false;
  const expected = createHmac("sha256", service.accessKey)
    .update(request.header("ce-connectionId") ?? "")
    .digest("hex");
  return elements(request.header("ce-signature")).some((element) => areEqual(element, `sha256=${expected}`));
}

/** The service of a connection string: its host without port, and its key. */
function serviceOf(connectionString: string): { readonly host: string; readonly accessKey: string } {
  const { endpoint, accessKey } = parseConnectionString(connectionString);
  return { host: new URL(endpoint).hostname, accessKey };
}

/** A state header is absent, empty, or base64 of a JSON object; null: it cannot be decoded. */
function decodeState(value: string | null): Record<string, unknown> | null {
  if (value === null || value === "") return {};
  try {
    const state: unknown = JSON.parse(Buffer.from(value, "base64").toString("utf8"));
    return typeof state === "object" && state !== null ? { ...state } : null;
  } catch {
    return null;
  }
}

/**
 * Like the ASP.NET Core middleware: knows the service by the host of its connection string, verifies signatures, answers
 * `connect` with JSON without content type, and keeps a counter of the events in the connection state.
 */
export function aspNetLike(connectionString: string): Middleware {
  const service = serviceOf(connectionString);
  return (request) => {
    if (request.header("ce-awpsversion") === null) return { status: 404 };
    const origins = elements(request.header("WebHook-Request-Origin"));
    if (request.method === "OPTIONS")
      return origins.includes(service.host) ? { headers: [["WebHook-Allowed-Origin", "*"]] } : { status: 400 };
    if ([...required, "ce-signature"].some((name) => request.header(name) === null)) return { status: 400 };
    if (!isSigned(request, service)) return { status: 401 };
    const state = decodeState(request.header("ce-connectionState"));
    if (state === null) return { status: 500 };
    const counted = Buffer.from(JSON.stringify({ count: Number(state["count"] ?? 0) + 1 })).toString("base64");
    switch (request.header("ce-type")) {
      case "azure.webpubsub.sys.connect":
        return { headers: [["ce-connectionState", counted]], body: JSON.stringify({ userId: "from-asp-net" }) };
      case "azure.webpubsub.sys.connected":
      case "azure.webpubsub.sys.disconnected":
        return {};
      default:
        return {
          headers: [
            ["Content-Type", "text/plain; charset=utf-8"],
            ["ce-connectionState", counted],
          ],
          body: `event ${Number(state["count"] ?? 0) + 1}`,
        };
    }
  };
}

/**
 * Like HTTP-triggered Azure Functions with the Web PubSub binding: no route for OPTIONS, GET validates; headers must be there
 * exactly once, the state is looked up in its exact spelling; user events are answered 202.
 */
export function functionsLike(connectionString: string): Middleware {
  const service = serviceOf(connectionString);
  return (request) => {
    if (request.method === "OPTIONS") return { status: 404 };
    const origins = elements(request.header("WebHook-Request-Origin"));
    if (request.method === "GET")
      return origins.includes(service.host) ? { headers: [["WebHook-Allowed-Origin", "*"]] } : { status: 400 };
    if ([...required, "WebHook-Request-Origin"].some((name) => request.values(name).length !== 1))
      return { status: 400 };
    if (!isSigned(request, service)) return { status: 401 };
    const state = request.headers.find(([name]) => name === "ce-connectionState")?.[1] ?? null;
    switch (request.header("ce-type")) {
      case "azure.webpubsub.sys.connect":
        return { headers: [["ce-connectionState", Buffer.from('{"from":"connect"}').toString("base64")]] };
      case "azure.webpubsub.sys.connected":
      case "azure.webpubsub.sys.disconnected":
        return {};
      default:
        if (
          !/^(?:text\/plain|application\/json|application\/octet-stream)(?:;|$)/.test(
            request.header("content-type") ?? "",
          )
        )
          return { status: 400 };
        return {
          status: 202,
          headers: [["Content-Type", "text/plain; charset=utf-8"]],
          body: JSON.stringify(decodeState(state)),
        };
    }
  };
}
