import type { Ending } from "../ending.ts";
import { type AdminAnswer, type AdminCall, callAdmin } from "./admin-call.ts";
import { type AdminOptions, readAdminTarget } from "./admin-target.ts";

/** Runs a verb that speaks to the administration API. */
export async function withAdmin(
  options: AdminOptions,
  run: (call: (operation: AdminCall) => Promise<AdminAnswer>) => Promise<Ending>,
): Promise<Ending> {
  const target = readAdminTarget(options);
  return target.ok ? run((operation) => callAdmin(target, operation)) : target;
}
