// A van on its round, in the terminal: bun device.ts [name] [address of the application]
import { DeviceClient } from "./shared/device-client.ts";
import { driveRound } from "./shared/round.ts";

const [name = "Van 7", app = `http://localhost:${process.env["PORT"] ?? 3001}`] = process.argv.slice(2);

const device = new DeviceClient(app, name);
// A connection that just breaks off could come back, so the service would keep it for a while; Ctrl-C says goodbye. It does
// not wait for long: there may be no connection.
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    void device.stop().then(() => process.exit(1));
    setTimeout(() => process.exit(1), 2000);
  });
}
try {
  await device.start();
} catch (error) {
  console.error(`Cannot connect: ${(error as Error).message}`);
  process.exit(1);
}
console.log(`${name} is online.`);
await driveRound(device, { paceMs: Number(process.env["PACE_MS"] ?? 1500), log: (line) => console.log(line) });
await device.stop();
console.log(`${name} is back.`);
process.exit(0); // the client library's timers would go on for a while
