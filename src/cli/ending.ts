/** How a verb ended; the process ends with its exit code. */
export type Ending = Success | Failure;

export interface Success {
  readonly ok: true;
  /** What to print; none: nothing, as `az` does after a change. */
  readonly shown?: Shown;
  /** For verbs that show something and still did not get what was hoped for; else 0. */
  readonly exitCode?: 1 | 2;
}

/** One result in both forms of `--output`. */
export interface Shown {
  readonly json: unknown;
  /** Lines for a person, without the last line break. */
  readonly text: string;
}

export interface Failure {
  readonly ok: false;
  /** 1: refused, or it did not work; 2: wrong usage. */
  readonly exitCode: 1 | 2;
  /** One line, without a secret. */
  readonly reason: string;
}

/** The verb did what it was asked and has nothing to show. */
export const done: Success = { ok: true };

/** The verb did what it was asked; `text` defaults to the value itself, for plain ones. */
export function shown(json: unknown, text: string = String(json)): Success {
  return { ok: true, shown: { json, text } };
}

/** The service refused, or something failed on the way: exit code 1. */
export function failed(reason: string): Failure {
  return { ok: false, exitCode: 1, reason };
}

/** The command line asks for something that cannot be: exit code 2. */
export function misused(reason: string): Failure {
  return { ok: false, exitCode: 2, reason };
}
