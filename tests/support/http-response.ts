export type Header = readonly [name: string, value: string];

/** A response as it came over the wire: header names keep their spelling, order and repetition. */
export class HttpResponse {
  constructor(head: ResponseHead, body: Buffer) {
    this.status = head.status;
    this.headers = head.headers;
    this.body = body;
  }

  readonly status: number;
  readonly headers: readonly Header[];
  readonly body: Buffer;

  /** All values of a header, its name in any case. */
  values(name: string): readonly string[] {
    return valuesOf(this.headers, name);
  }

  /** The value of a header that occurs at most once; null if it does not occur. */
  header(name: string): string | null {
    return onlyValue(this.headers, name);
  }

  get text(): string {
    return this.body.toString("utf8");
  }

  get json(): unknown {
    return JSON.parse(this.text) as unknown;
  }
}

export function valuesOf(headers: readonly Header[], name: string): readonly string[] {
  return headers.filter(([each]) => each.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

/** Throws if the header is repeated. */
export function onlyValue(headers: readonly Header[], name: string): string | null {
  const values = valuesOf(headers, name);
  if (values.length > 1) throw new Error(`header ${name} occurs ${values.length} times`);
  return values[0] ?? null;
}

export interface ResponseHead {
  readonly status: number;
  readonly headers: readonly Header[];
  /** Bytes of the head, blank line included. */
  readonly length: number;
}

/** Reads status line and headers; null while they are incomplete. */
export function readHead(bytes: Buffer): ResponseHead | null {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const [statusLine = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const status = /^HTTP\/1\.1 (\d{3})(?: |$)/.exec(statusLine)?.[1];
  if (status === undefined) throw new Error(`not an HTTP/1.1 status line: ${statusLine}`);
  const headers = lines.map((line): Header => {
    const colon = line.indexOf(":");
    if (colon < 1) throw new Error(`not a header line: ${line}`);
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return { status: Number(status), headers, length: end + 4 };
}

/** Reads the body behind `head`; null while it is incomplete. `ended`: the server closed its side. */
export function readBody(head: ResponseHead, rest: Buffer, ended: boolean): Buffer | null {
  if (head.status < 200 || head.status === 204 || head.status === 304) return Buffer.alloc(0);
  if (onlyValue(head.headers, "transfer-encoding") === "chunked") return readChunks(rest);
  const length = onlyValue(head.headers, "content-length");
  if (length === null) return ended ? rest : null;
  return rest.length >= Number(length) ? rest.subarray(0, Number(length)) : null;
}

function readChunks(bytes: Buffer): Buffer | null {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd === -1) return null;
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString("latin1"), 16);
    at = lineEnd + 2 + size + 2;
    if (bytes.length < at) return null;
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
  }
}
