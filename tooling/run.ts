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

const lingerMs = 2000;

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
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, options.timeoutMs ?? 600_000);
  const streams = [collect(child.stdout), collect(child.stderr)] as const;
  const code = await child.exited;
  clearTimeout(timer);
  // A grandchild that outlives the child may hold the streams open for ever.
  await Promise.race([Promise.all(streams.map((stream) => stream.ended)), Bun.sleep(lingerMs)]);
  // Some tools colour their output whenever CI is set, whatever NO_COLOR says.
  const output = Bun.stripANSI(streams.map((stream) => stream.text()).join("\n"));
  return { exitCode: isLate ? 124 : code, output: output.trim(), ms: performance.now() - start };
}

function collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>): { text: () => string; ended: Promise<void> } {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const read = async (): Promise<void> => {
    for await (const chunk of stream) chunks.push(chunk);
  };
  return { text: () => Buffer.concat(chunks).toString(), ended: read() };
}

/** `83` → `0.1 s`, `75_000` → `75.0 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
