/** Ends every message of the JSON hub protocol. */
export const separator = "\u001e";

/** What a viewer says (management 13.2); everything else of the hub protocol is nothing to us. */
export type ViewerMessage =
  | {
      readonly kind: "invocation";
      readonly target: string;
      readonly args: readonly unknown[];
      readonly id: string | null;
    }
  | { readonly kind: "close" }
  | { readonly kind: "ignored" };

/** Reads the handshake, the first message; what is wrong with it, or null. */
export function handshakeFault(text: string): string | null {
  const request = parseObject(text);
  if (request === null) return "The handshake is not a JSON object.";
  if (request["protocol"] !== "json") return "Only the JSON protocol is supported.";
  return request["version"] === 1 ? null : "Only version 1 of the JSON protocol is supported.";
}

/** Reads one message without its separator; null when it is none. Never throws. */
export function parseMessage(text: string): ViewerMessage | null {
  const message = parseObject(text);
  if (message === null) return null;
  switch (message["type"]) {
    case 1: {
      const { target, arguments: args, invocationId: id } = message;
      if (typeof target !== "string" || !Array.isArray(args)) return null;
      return { kind: "invocation", target: target.toLowerCase(), args, id: typeof id === "string" ? id : null };
    }
    case 7:
      return { kind: "close" };
    default:
      return typeof message["type"] === "number" ? { kind: "ignored" } : null;
  }
}

/** The answer to a handshake; `fault` null: accepted. */
export function handshakeAnswer(fault: string | null): string {
  return encode(fault === null ? {} : { error: fault });
}

/** A call of a method of the viewer, for which no answer comes. */
export function invocation(target: string, argument: unknown): string {
  return encode({ type: 1, target, arguments: [argument] });
}

/** The end of a call by the viewer that asked for one. */
export function completion(invocationId: string, fault: string | null): string {
  return encode({ type: 3, invocationId, ...(fault !== null && { error: fault }) });
}

/** The last message of a connection. */
export function closing(fault: string, allowReconnect: boolean): string {
  return encode({ type: 7, error: fault, allowReconnect });
}

/** Keeps the connection alive. */
export const ping = encode({ type: 6 });

function encode(message: object): string {
  return JSON.stringify(message) + separator;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  } catch {
    return null; // not JSON: the caller says so
  }
}
