import type { RunningServer } from "../server.ts";
import type { DialectName } from "./load/workload.ts";

/** A server under comparison that can be started here. */
export interface Installed {
  /** Name and version, and the runtime's where it has one. */
  readonly version: string;
  start(): Promise<RunningServer>;
}

/** A server under comparison. */
export interface Peer {
  /** Its name in the table and in `--peers`. */
  readonly name: string;
  readonly dialect: DialectName;
  /** Finds it, or installs it where that needs no question; else one line that says why it is not there. */
  install(): Promise<Installed | { readonly problem: string }>;
}
