import type { Clock, Telemetry } from "../../core/ports.ts";
import type { HttpFailure, HttpReply } from "./http-client.ts";

/** One URL to be validated for one request origin. */
export interface ValidationSubject {
  /** Full URL including query; key of the record together with the origin. */
  readonly url: string;
  /** Value of `WebHook-Request-Origin`; several names are separated by commas. */
  readonly origin: string;
  /** Sends one request, with its retries and its timeout. */
  send(method: "OPTIONS" | "GET", headers: readonly string[]): Promise<HttpReply | HttpFailure>;
}

interface ValidationRecord {
  result: "unknown" | "valid" | "invalid";
  /** When the result wants to be checked again. */
  checkAt: number;
  failures: number;
  running: Promise<boolean> | null;
}

interface AbuseProtectionParts {
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, "log">;
  /** Further hosts, with port, that a handler may name (event-handlers 3.2). */
  publicHosts(): readonly string[];
  retryOnDemand(): boolean;
}

const validMs = 60_000;
const firstBackOffMs = 1000;
const maxBackOffMs = 60_000;
/** Ours: without a public endpoint, clients choose the origin by their `Host`, so records could grow without bound. */
const maxRecords = 1024;

/**
 * The validation of handlers by CloudEvents' abuse protection.
 *
 * One request at a time per record. A success holds for 60 s, then the next event starts a check in the background and
 * goes out on the old result. After failures checks are 1, 2, 4 … 60 s apart; events in between are refused at once.
 * @spec E-13 E-14 E-15 E-16 E-17 E-18 E-19 E-20 E-21
 */
export class AbuseProtection {
  readonly #parts: AbuseProtectionParts;
  readonly #records = new Map<string, ValidationRecord>();

  constructor(parts: AbuseProtectionParts) {
    this.#parts = parts;
  }

  /** Whether an event may be sent. Answers at once whenever a result is known; a promise of it never rejects. */
  check(subject: ValidationSubject): boolean | Promise<boolean> {
    const record = this.#record(`${subject.origin} ${subject.url}`);
    if (record.result === "valid") {
      if (this.#isDue(record)) void this.#start(record, subject);
      return true;
    }
    if (record.result === "unknown") return this.#start(record, subject);
    if (!this.#isDue(record)) return false;
    const fresh = this.#start(record, subject);
    return this.#parts.retryOnDemand() ? fresh : false;
  }

  /** Checks ahead of events, at start and reload. A failure is only logged: the application may start after us. */
  warmUp(subject: ValidationSubject): void {
    const key = `${subject.origin} ${subject.url}`;
    const record = this.#record(key);
    if (record.result !== "unknown" || record.running !== null) return;
    void this.#start(record, subject).then((isValid) => {
      if (!isValid) this.#records.delete(key);
    });
  }

  #record(key: string): ValidationRecord {
    let record = this.#records.get(key);
    if (record === undefined) {
      record = { result: "unknown", checkAt: 0, failures: 0, running: null };
      const oldest = this.#records.keys().next();
      if (this.#records.size >= maxRecords && oldest.done !== true) this.#records.delete(oldest.value);
      this.#records.set(key, record);
    }
    return record;
  }

  #isDue(record: ValidationRecord): boolean {
    return record.running !== null || this.#parts.clock.now() >= record.checkAt;
  }

  #start(record: ValidationRecord, subject: ValidationSubject): Promise<boolean> {
    record.running ??= this.#validate(subject).then((isValid) => {
      record.running = null;
      record.result = isValid ? "valid" : "invalid";
      record.failures = isValid ? 0 : record.failures + 1;
      const backOffMs = Math.min(maxBackOffMs, firstBackOffMs * 2 ** Math.min(record.failures - 1, 16));
      record.checkAt = this.#parts.clock.now() + (isValid ? validMs : backOffMs);
      return isValid;
    });
    return record.running;
  }

  async #validate(subject: ValidationSubject): Promise<boolean> {
    const headers = ["WebHook-Request-Origin", subject.origin, "ce-awpsversion", "1.0"];
    let result = await subject.send("OPTIONS", headers);
    if (result.kind === "reply" && result.status === 404) result = await subject.send("GET", headers); // E-15
    const url = withoutQuery(subject.url);
    const { log } = this.#parts.telemetry;
    if (result.kind === "failed") {
      const message = `Abuse protection for '${url}' failed: ${result.detail}.`;
      log("warning", "AbuseProtectionRequestFailed", { message, url });
      return false;
    }
    if (result.status < 200 || result.status > 299) {
      const message = `Abuse protection for '${url}' failed: ${result.status}.`;
      log("warning", "AbuseProtectionResponseInvalidStatusCode", { message, url, statusCode: result.status });
      return false;
    }
    const { allowedOrigins } = result.headers;
    if (this.#isAllowed(allowedOrigins, subject.origin)) return true;
    const shown = allowedOrigins.join(", ").slice(0, 256);
    const message = `Abuse protection for '${url}' missing allowed origins: ${shown}.`;
    log("warning", "AbuseProtectionResponseMissingAllowedOrigin", { message, url });
    return false;
  }

  /** Compares hosts only: one official handler names itself with its port while the request origin has none (E-14). */
  #isAllowed(lines: readonly string[], origin: string): boolean {
    const own = [...origin.split(","), ...this.#parts.publicHosts()].map(hostOnly);
    const offered = lines.flatMap((line) => line.split(",")).map((value) => value.trim());
    return offered.some((value) => value === "*" || (value !== "" && own.includes(hostOnly(value))));
  }
}

function hostOnly(value: string): string {
  return value
    .trim()
    .toLowerCase()
    .replace(/:[0-9]+$/, "");
}

/** A URL as it may be logged: without query, which may hold a key. */
export function withoutQuery(url: string): string {
  const query = url.indexOf("?");
  return query < 0 ? url : url.slice(0, query);
}
