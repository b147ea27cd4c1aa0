// `npm run bench:memory [-- --clients 10000]`: what connections, memberships and kept messages cost; see docs/benchmarks.md.
import { parseArgs } from "node:util";
import { type MemoryCase, memoryCases } from "./memory/cases.ts";
import { openCrowd, release } from "./memory/clients.ts";
import { descriptorLimit, settledBytes } from "./process-stats.ts";
import { circumstances } from "./report.ts";
import { type ProbedServer, startProbedService } from "./server.ts";

/** Descriptors a process needs besides its connections. */
const spareDescriptors = 200;
/** Detached connections must live until they are measured. */
const limits = { reliable: { recoverySeconds: 3600 } };

interface Memory {
  readonly residentBytes: number;
  readonly heapBytes: number;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { clients: { type: "string", default: "10000" } } });
  const clients = Math.min(Number(values.clients), descriptorLimit() - spareDescriptors);
  if (!(Number.isInteger(clients) && clients > 0)) {
    console.error("--clients is a positive number");
    return 2;
  }
  const { bun, commit } = circumstances(false);
  console.log(`Bun ${bun}, commit ${commit ?? "unknown"}, ${clients} clients; bytes each`);
  console.log(`${"RSS".padStart(7)} ${"heap".padStart(7)}`);
  for (const each of memoryCases) {
    const { residentBytes, heapBytes } = await priceOf(each, clients);
    console.log(
      `${Math.round(residentBytes).toString().padStart(7)} ${Math.round(heapBytes).toString().padStart(7)}  ${each.title}`,
    );
  }
  return 0;
}

async function priceOf({ clients: options, price, step }: MemoryCase, clients: number): Promise<Memory> {
  await using cleanup = new AsyncDisposableStack();
  const server = await startProbedService({ limits });
  cleanup.defer(() => server.stop());
  const fresh = await memoryOf(server);
  const crowd = await openCrowd(server.endpoint, clients, options);
  cleanup.defer(() => release(crowd));
  const before = price === "of each client" ? fresh : await memoryOf(server);
  await step?.(server.endpoint, crowd);
  const after = await memoryOf(server);
  const units = clients * (price === "of each client" ? 1 : price.stepPerClient);
  return {
    residentBytes: (after.residentBytes - before.residentBytes) / units,
    heapBytes: (after.heapBytes - before.heapBytes) / units,
  };
}

/** Resident memory once it has settled, asked first: the heap is looked at after a garbage collection. */
async function memoryOf({ endpoint, probe }: ProbedServer): Promise<Memory> {
  const residentBytes = await settledBytes(endpoint.pid);
  return { residentBytes, heapBytes: (await probe.ask("settled")).heapBytes };
}

process.exit(await main());
