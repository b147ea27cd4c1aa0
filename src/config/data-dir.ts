import { join, resolve } from "node:path";
import type { Environment } from "./assignments.ts";
import type { PathSegment } from "./problem.ts";
import { valueAt } from "./raw-tree.ts";

/** What the default of the data folder depends on. */
export interface DataDirContext {
  readonly environment: Environment;
  readonly cwd: string;
}

/** Where the data folder is set. */
export const dataDirPath: readonly PathSegment[] = ["service", "dataDir"];

/** `$XDG_STATE_HOME/tidewire` where that is set, else `.tidewire` in the home folder, else in the working directory. */
export function defaultDataDir({ environment, cwd }: DataDirContext): string {
  const state = environment["XDG_STATE_HOME"] ?? "";
  if (state !== "") return join(state, "tidewire");
  const home = [environment["HOME"], environment["USERPROFILE"]].find((value) => value !== undefined && value !== "");
  return join(home ?? cwd, ".tidewire");
}

/** The data folder of a tree that is not validated yet: the overlay is found there, which validation needs. */
export function dataDirOf(tree: unknown, baseDir: string, context: DataDirContext): string {
  const raw = valueAt(tree, dataDirPath);
  return typeof raw === "string" && raw !== "" ? resolve(baseDir, raw) : defaultDataDir(context);
}
