// `npm run soak:recovery [-- --clients 200 --seconds 60 --seed 1]`: the long form of reliable-recovery.test.ts.
import { parseArgs } from "node:util";
import { runRecoverySoak } from "./recovery-soak.ts";

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      clients: { type: "string", default: "200" },
      seconds: { type: "string", default: "60" },
      seed: { type: "string", default: "1" },
    },
  });
  const options = { clients: Number(values.clients), seconds: Number(values.seconds), seed: Number(values.seed) };
  if (!(options.clients > 0 && options.clients % 10 === 0 && options.seconds > 0 && Number.isInteger(options.seed))) {
    console.error("--clients is a multiple of ten, --seconds a positive number, --seed an integer");
    return 2;
  }
  console.log(`${options.clients} clients, ${options.seconds} s, seed ${options.seed}`);
  const { damage, delivered, connectionsLost, reconnects, faults } = await runRecoverySoak(options);
  const { lost, duplicated, reordered, misnumbered } = damage;
  console.log(`${delivered} deliveries, ${reconnects} reconnects; ${JSON.stringify(faults)}`);
  console.log(`lost ${lost}, duplicated ${duplicated}, reordered ${reordered}`);
  console.log(`sequence ids out of turn ${misnumbered}, connections lost ${connectionsLost}`);
  return lost + duplicated + reordered + misnumbered + connectionsLost === 0 ? 0 : 1;
}

process.exit(await main());
