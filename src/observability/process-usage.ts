/** What the operating system knows about this process. */
export interface ProcessUsage {
  /** User and system CPU time since the start, in seconds. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Seconds since the epoch. */
  readonly startedAt: number;
}

/** Reads the usage of this process; takes about ten microseconds. */
export function readProcessUsage(): ProcessUsage {
  const cpu = process.cpuUsage();
  return {
    cpuSeconds: (cpu.user + cpu.system) / 1_000_000,
    residentBytes: process.memoryUsage.rss(),
    startedAt: performance.timeOrigin / 1000,
  };
}
