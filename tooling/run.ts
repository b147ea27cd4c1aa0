/** What a finished process left behind. */
export interface Finished {
  /** Exit code; 128 + signal number when a signal ended it, 124 when it was stopped for taking too long. */
  readonly exitCode: number;
  /** Standard output, then standard error. */
  readonly output: string;
  readonly ms: number;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The process is killed after this time. Default: 10 minutes. */
  readonly timeoutMs?: number;
}

/** Runs a command to its end without standard input and collects what it printed, uncoloured. */
export async function run(command: readonly string[], options: RunOptions): Promise<Finished> {
  const start = performance.now();
  const child = Bun.spawn([...command], {
    cwd: options.cwd,
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0", ...options.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, options.timeoutMs ?? 600_000);
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  clearTimeout(timer);
  return { exitCode: late ? 124 : code, output: `${stdout}\n${stderr}`.trim(), ms: performance.now() - start };
}

/** `83` → `0.1 s`, `75_000` → `75.0 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
