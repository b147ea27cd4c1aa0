// `npm run soak:churn [-- --minutes 20 --connects 200]`: whether clients that come and go leave memory behind; 480 minutes for
// a release (H-38).
import { parseArgs } from "node:util";
import { runChurn } from "./churn-soak.ts";

/**
 * Growth that may be left: the engine's smallest object has 16 bytes, so a server that kept anything of every life would grow
 * by more.
 */
const bytesPerLife = 16;
const mebibyte = 2 ** 20;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { minutes: { type: "string", default: "20" }, connects: { type: "string", default: "200" } },
  });
  const options = { minutes: Number(values.minutes), connectsPerSecond: Number(values.connects) };
  if (!(options.minutes >= 6 && options.connectsPerSecond > 0)) {
    console.error("--minutes is at least 6, or there is no trend; --connects a positive number per second");
    return 2;
  }
  console.log(`${options.minutes} minutes, ${options.connectsPerSecond} clients per second`);
  const result = await runChurn(options, ({ seconds, lives, residentBytes, heapBytes }) => {
    console.log(`${seconds} s: ${lives} lives, RSS ${mebibytes(residentBytes)}, heap ${mebibytes(heapBytes)}`);
  });
  const { lives, cut, resident, livesPerHour, leftOver, emptyHeapBytes } = result;
  const bound = bytesPerLife * livesPerHour;
  const perLife = (bytes: number): string => (bytes / livesPerHour).toFixed(1);
  console.log(`${lives} connects, ${cut} of them cut; ${lives * 5} frames received, ${lives} of them messages`);
  console.log(`heap of the empty server: ${emptyHeapBytes.map(mebibytes).join(", then ")}`);
  const types = leftOver.map(([type, count]) => `${type} ${count.toFixed(1)}`).join(", ");
  console.log(`objects left over per 1,000 lives: ${types === "" ? "none" : types}`);
  console.log(
    `RSS after warm-up: ${mebibytes(resident.slope)}/h, 95 % between ${mebibytes(resident.low)} and ${mebibytes(resident.high)}` +
      ` (${perLife(resident.slope)}, ${perLife(resident.low)} and ${perLife(resident.high)} bytes per life)`,
  );
  const isFlat = resident.low <= 0 || resident.high < bound;
  const isCertain = resident.high < bound;
  console.log(
    `verdict: ${isFlat ? "flat" : "grows"}${isFlat && !isCertain ? ", but the run was too short to tell" : ""}`,
  );
  return isFlat && leftOver.length === 0 ? 0 : 1;
}

function mebibytes(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(1)} MiB`;
}

process.exit(await main());
