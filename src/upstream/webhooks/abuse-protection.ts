import type { Clock, Telemetry } from "../../core/ports.ts";
import { type ValidationSubject, validate } from "./validation.ts";

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
 * @spec E-16 E-17 E-18 E-19 E-20 E-21
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
    const { problem } = await validate(subject, this.#parts.publicHosts());
    if (problem !== null) this.#parts.telemetry.log("warning", problem.event, problem.fields);
    return problem === null;
  }
}
