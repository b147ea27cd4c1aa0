/** Told what a reply consists of, in this order; called from within `read`. */
export interface ReplySink {
  /** The final status and its headers, `[name, value, …]` as they came, beyond ASCII as Latin-1 characters. */
  head(status: number, rawHeaders: readonly string[]): void;
  /** The next part of the body; never empty. */
  body(part: Uint8Array): void;
}

/** How far a reply has come. */
export type ReplyProgress = "partial" | "complete" | "invalid";

/** What the next line is. */
type LinePhase = "status" | "headers" | "chunkSize" | "chunkEnd" | "trailers";
type Phase = LinePhase | "counted" | "untilClose" | "chunk" | "complete" | "invalid";

/** Header and trailer lines of one reply together, interim replies included (event-handlers 8.5). */
const maxHeadBytes = 65_536;
/** A chunk's size and its extensions, which nobody uses; ours. */
const maxChunkLineBytes = 4096;

const lineFeed = 10;
const carriageReturn = 13;
const statusLine = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const statusStart = "HTTP/1.";
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Up to 2^53 in either notation. */
const decimal = /^[0-9]{1,15}$/;
const chunkLine = /^([0-9A-Fa-f]{1,13})(?:;[\t\x20-\x7e\x80-\xff]*)?$/;

/**
 * Reads one HTTP/1.x reply to a request that was neither HEAD nor CONNECT. The result does not depend on how the bytes are cut,
 * takes time proportional to them, and keeps no more of them than the headers.
 *
 * Strict where two readers could disagree about where a reply ends (RFC 9112 6.3, 11): lines end with CR LF, headers are
 * not folded, `Content-Length` stands once and not beside `Transfer-Encoding`, and the only transfer coding is `chunked`.
 * @spec H-37
 */
export class ReplyParser {
  readonly #sink: ReplySink;
  #phase: Phase = "status";
  #problem = "";
  /** The beginning of a line whose end has not come. */
  #line = "";
  #headBytes = 0;
  #status = 0;
  #rawHeaders: string[] = [];
  #length: number | null = null;
  #isChunked = false;
  #isVersion10 = false;
  #saysClose = false;
  #saysKeepAlive = false;
  /** Of the body or of the chunk. */
  #missingBytes = 0;
  #hasSurplus = false;

  constructor(sink: ReplySink) {
    this.#sink = sink;
  }

  /** What is wrong with an invalid reply; holds nothing of it. */
  get problem(): string {
    return this.#problem;
  }

  /**
   * Whether the connection is good for another request after a complete reply. Bytes behind the reply are not, whatever they
   * are: nobody asked for them, and they would be taken for the answer to the next request.
   */
  get isReusable(): boolean {
    const isKept = this.#isVersion10 ? this.#saysKeepAlive && !this.#saysClose : !this.#saysClose;
    return this.#phase === "complete" && isKept && !this.#hasSurplus;
  }

  /** Takes the next bytes. A reply that is complete or invalid stays so. */
  read(bytes: Buffer): ReplyProgress {
    let at = 0;
    while (at < bytes.length) {
      switch (this.#phase) {
        case "counted":
        case "chunk":
          at = this.#readCounted(bytes, at);
          break;
        case "untilClose":
          this.#sink.body(bytes.subarray(at));
          return "partial";
        case "complete":
          this.#hasSurplus = true;
          return "complete";
        case "invalid":
          return "invalid";
        case "status":
        case "headers":
        case "chunkSize":
        case "chunkEnd":
        case "trailers":
          at = this.#readLine(bytes, at, this.#phase);
          break;
      }
    }
    return this.#progress();
  }

  /** The peer has closed the connection in good order, which may be how the body ends. */
  end(): ReplyProgress {
    if (this.#phase === "untilClose") {
      this.#saysClose = true;
      this.#phase = "complete";
    }
    return this.#progress();
  }

  #progress(): ReplyProgress {
    return this.#phase === "complete" || this.#phase === "invalid" ? this.#phase : "partial";
  }

  #readCounted(bytes: Buffer, from: number): number {
    const part = bytes.subarray(from, from + this.#missingBytes);
    const to = from + part.length;
    this.#missingBytes -= part.length;
    this.#sink.body(part);
    if (this.#missingBytes > 0) return to;
    if (this.#phase === "counted") this.#phase = "complete";
    else if (bytes[to] === carriageReturn && bytes[to + 1] === lineFeed) {
      this.#phase = "chunkSize"; // not by way of a line, which takes half of the time of small chunks
      return to + 2;
    } else this.#phase = "chunkEnd";
    return to;
  }

  #readLine(bytes: Buffer, from: number, phase: LinePhase): number {
    const end = bytes.indexOf(lineFeed, from);
    const to = end === -1 ? bytes.length : end + 1;
    if (phase !== "chunkSize" && phase !== "chunkEnd") this.#headBytes += to - from;
    const line = this.#line + bytes.toString("latin1", from, to);
    const problem = this.#lineProblem(line, phase);
    if (problem !== null) this.#fail(problem);
    else if (end === -1) this.#line = line;
    else if (!line.endsWith("\r\n")) this.#fail("a line does not end with CR LF");
    else {
      this.#line = "";
      this.#take(line.slice(0, -2), phase);
    }
    return to;
  }

  /** Why the beginning of a line cannot become one, which is not waited for. */
  #lineProblem(line: string, phase: LinePhase): string | null {
    if (phase === "chunkSize") return line.length > maxChunkLineBytes ? noChunk : null;
    if (phase === "chunkEnd") return "\r\n".startsWith(line) ? null : noChunkEnd;
    if (phase === "status" && !line.startsWith(statusStart) && !statusStart.startsWith(line)) return noReply;
    return this.#headBytes > maxHeadBytes ? "the headers are bigger than 64 KiB" : null;
  }

  #take(line: string, phase: LinePhase): void {
    switch (phase) {
      case "status":
        this.#takeStatus(line);
        break;
      case "headers":
        if (line === "") this.#endHead();
        else this.#takeHeader(line);
        break;
      case "chunkSize":
        this.#takeChunkSize(line);
        break;
      case "chunkEnd":
        this.#phase = "chunkSize";
        break;
      case "trailers":
        if (line === "") this.#phase = "complete";
        else if (splitHeader(line) === null) this.#fail(noHeader);
        break;
    }
  }

  #takeStatus(line: string): void {
    const [whole, minor, status] = statusLine.exec(line) ?? [];
    if (whole === undefined) {
      this.#fail(noReply);
      return;
    }
    this.#isVersion10 = minor === "0";
    this.#status = Number(status);
    this.#phase = "headers";
  }

  #takeHeader(line: string): void {
    const header = splitHeader(line);
    if (header === null) {
      this.#fail(noHeader);
      return;
    }
    const [name, value] = header;
    this.#rawHeaders.push(name, value);
    switch (name.toLowerCase()) {
      case "content-length":
        if (this.#length !== null || !decimal.test(value)) this.#fail("Content-Length is invalid or repeated");
        else this.#length = Number(value);
        break;
      case "transfer-encoding":
        if (this.#isChunked || value.toLowerCase() !== "chunked") this.#fail("the transfer coding is unknown");
        else this.#isChunked = true;
        break;
      case "connection":
        for (const option of value.toLowerCase().split(",")) {
          const word = option.trim();
          if (word === "close") this.#saysClose = true;
          else if (word === "keep-alive") this.#saysKeepAlive = true;
        }
        break;
    }
  }

  #endHead(): void {
    const status = this.#status;
    if (status === 101) this.#fail("the reply switches protocols");
    else if (this.#isChunked && (this.#length !== null || this.#isVersion10)) {
      this.#fail("Transfer-Encoding stands beside Content-Length or in HTTP/1.0");
    } else if (status < 200) this.#forgetInterim();
    else {
      this.#phase = this.#bodyPhase(); // before the sink, which may ask
      this.#sink.head(status, this.#rawHeaders);
    }
  }

  #forgetInterim(): void {
    this.#phase = "status";
    this.#rawHeaders = [];
    this.#length = null;
    this.#isChunked = false;
    this.#saysClose = false;
    this.#saysKeepAlive = false;
  }

  #bodyPhase(): Phase {
    if (this.#status === 204 || this.#status === 304 || this.#length === 0) return "complete";
    if (this.#isChunked) return "chunkSize";
    if (this.#length === null) return "untilClose";
    this.#missingBytes = this.#length;
    return "counted";
  }

  #takeChunkSize(line: string): void {
    const [, size] = chunkLine.exec(line) ?? [];
    if (size === undefined) {
      this.#fail(noChunk);
      return;
    }
    this.#missingBytes = Number.parseInt(size, 16);
    this.#phase = this.#missingBytes === 0 ? "trailers" : "chunk";
  }

  #fail(problem: string): void {
    this.#phase = "invalid";
    this.#problem = problem;
    this.#line = "";
  }
}

const noReply = "it is not an HTTP/1 reply";
const noHeader = "a header line is invalid";
const noChunk = "the size of a chunk is invalid";
const noChunkEnd = "a chunk is longer than it says";

/** Null for a line that is no header; one that begins with a blank would continue the line before. */
function splitHeader(line: string): readonly [name: string, value: string] | null {
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(0, colon));
  const value = trimBlanks(line, colon + 1);
  return token.test(name) && fieldValue.test(value) ? [name, value] : null;
}

/** `trim` would take the Latin-1 blank, a byte of a UTF-8 character, along. */
function trimBlanks(line: string, start: number): string {
  let from = start;
  let to = line.length;
  while (from < to && isBlank(line.charCodeAt(from))) from++;
  while (from < to && isBlank(line.charCodeAt(to - 1))) to--;
  return line.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
