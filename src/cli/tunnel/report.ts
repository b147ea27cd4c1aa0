import type { HeaderList, TunnelRequest } from "../../tunnel/messages.ts";
import type { Forwarded } from "./forward.ts";

/** One request that was answered. */
export interface Exchange {
  readonly request: TunnelRequest;
  readonly answer: Forwarded;
  /** When the request came, and how long it took. */
  readonly at: Date;
  readonly durationMs: number;
}

const maxShownBody = 4096;
const secretWords = "key|code|token|secret|signature|password|authorization|cookie";
const secretName = new RegExp(secretWords, "i");
/** The same inside a JSON body: that of `connect` repeats the client's headers and query. */
const secretMember = new RegExp(
  `("[^"]{0,100}(?:${secretWords})[^"]{0,100}"\\s*:\\s*)(\\[[^\\]]*\\]|"(?:[^"\\\\]|\\\\.)*")`,
  "gi",
);
const readable = /^(?:text\/|application\/(?:[\w.+-]+\+)?json\b)/i;

/** One line: time, method, path, status, duration, event, and the problem if there is one. The query may hold a key. */
export function exchangeLine({ request, answer, at, durationMs }: Exchange): string {
  const path = URL.canParse(request.url) ? new URL(request.url).pathname : request.url;
  const event = valueOf(request.headers, "ce-eventname");
  const parts = [
    timeOf(at),
    request.method,
    path,
    answer.status,
    `${Math.round(durationMs)} ms`,
    event,
    answer.problem,
  ];
  return printable(parts.filter((part) => part !== null && part !== "").join("  "));
}

/** Headers and bodies of both sides, secrets masked; to be printed below the line. */
export function exchangeDetails({ request, answer }: Exchange): readonly string[] {
  const side = (mark: string, { headers, body }: Pick<Forwarded, "headers" | "body">): readonly string[] => {
    const lines: string[] = [];
    for (let at = 0; at + 1 < headers.length; at += 2) {
      const name = headers[at] ?? "";
      lines.push(`${name}: ${secretName.test(name) ? "***" : (headers[at + 1] ?? "")}`);
    }
    return [...lines, ...bodyLines(body, valueOf(headers, "content-type"))].map(
      (line) => `  ${mark} ${printable(line)}`,
    );
  };
  return [...side(">", request), ...side("<", answer)];
}

/** A text without control characters: what clients send must not reach the terminal as commands. */
export function printable(text: string): string {
  return text.replace(/[\0-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function bodyLines(body: Uint8Array, contentType: string | null): readonly string[] {
  if (body.length === 0) return [];
  if (!readable.test(contentType ?? "")) return ["", `(${body.length} bytes)`];
  const text = new TextDecoder().decode(body.subarray(0, maxShownBody)).replace(secretMember, '$1"***"');
  const more = body.length > maxShownBody ? [`(${body.length} bytes in all)`] : [];
  return ["", ...text.split(/\r?\n/), ...more];
}

function valueOf(headers: HeaderList, name: string): string | null {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (headers[at]?.toLowerCase() === name) return headers[at + 1] ?? null;
  }
  return null;
}

function timeOf(at: Date): string {
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}
