#!/usr/bin/env node
// @ts-check
// Finds the Bun that npm installed and starts the service with it.
import { fileURLToPath } from "node:url";
import { runBun } from "./find-bun.mjs";

// Client URLs carry their token in the request line, longer than Bun's default of 16 KiB for the whole header.
const maxHeaderBytes = 65_536;
const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));

runBun([`--max-http-header-size=${maxHeaderBytes}`, main, ...process.argv.slice(2)]);
