import { emptyReply, type Outcome, Problem } from "./errors.ts";

/**
 * HealthApi_GetServiceStatus: 200 without a body while the service takes work, 503 while it drains. Asks for no token
 * and looks at no api-version.
 * @spec R-1 R-2 rest-api 8.4
 */
export function checkHealth(isReady: boolean): Outcome {
  return isReady ? emptyReply(200) : new Problem("stopped", "The service is not ready.");
}
