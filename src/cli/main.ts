import { joinPairs } from "./admin/pairs.ts";
import { createProgram } from "./program.ts";

await createProgram().parseAsync(joinPairs(process.argv.slice(2)), { from: "user" });
