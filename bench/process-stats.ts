import { readFileSync } from "node:fs";

/** Length of a tick in /proc: USER_HZ, which Linux fixes at 100 per second for every architecture Bun runs on. */
const tickMs = 10;

/** CPU time of a process in milliseconds, user and system, all its threads, from /proc/<pid>/stat. */
export function cpuTimeMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in parentheses may hold spaces: fields count from behind it (state is the first).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

/** Resident memory of a process in bytes, from /proc/<pid>/status. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes ?? Number.NaN) * 1024;
}

/** Most descriptors a process may open; Bun raises its own soft limit to this at start. */
export function descriptorLimit(): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard ?? 1024);
}

/** Waits until the resident memory of a process stays within one percent for five seconds; gives up after a minute. */
export async function settledBytes(pid: number): Promise<number> {
  const samples: number[] = [];
  for (let polls = 0; polls < maxPolls; polls++) {
    samples.push(residentBytes(pid));
    const recent = samples.slice(-stablePolls);
    const least = Math.min(...recent);
    if (recent.length === stablePolls && Math.max(...recent) - least <= least * 0.01) break;
    await Bun.sleep(pollMs);
  }
  return samples.at(-1) ?? Number.NaN;
}

const pollMs = 250;
const stablePolls = 20;
const maxPolls = 240;
