/** Ends the generator with one line: a figure made of half a load is worth nothing. */
export function fail(error: unknown): never {
  console.error(`load generator: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
