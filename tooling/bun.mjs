// @ts-check
// `node tooling/bun.mjs FILE ARGS…` runs a tool with the same Bun that runs the service.
import { runBun } from "../bin/find-bun.mjs";

runBun(process.argv.slice(2));
