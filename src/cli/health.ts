import { codeOf, wordsFor } from "./network-error.ts";

const healthy = 0;
const unhealthy = 1;
const misused = 2;

/** Asks a service for its health; resolves with the exit code for container health checks. */
export async function runHealth(endpoint: string, timeoutText: string): Promise<number> {
  const seconds = Number(timeoutText);
  if (!(seconds > 0 && seconds <= 3600)) {
    console.error("tidewire: --timeout must be a number of seconds");
    return misused;
  }
  if (!URL.canParse(endpoint)) {
    console.error(`tidewire: not a URL: ${endpoint}`);
    return misused;
  }
  const url = `${endpoint.replace(/\/+$/, "")}/api/health`;
  try {
    // Only whether it is up matters: its certificate may be for another name than localhost.
    const response = await fetch(url, {
      method: "HEAD",
      signal: AbortSignal.timeout(seconds * 1000),
      tls: { rejectUnauthorized: false },
    });
    if (response.ok) return healthy;
    console.error(`tidewire: ${url} answered ${response.status}`);
  } catch (error) {
    const reason = wordsFor(codeOf(error)) ?? (error instanceof Error ? error.message : String(error));
    console.error(`tidewire: ${url} does not answer (${reason})`);
  }
  return unhealthy;
}
