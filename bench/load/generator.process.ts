// A load generator, a process of its own so that its work is not billed to the server or the runner. Driven by messages:
// one job, then orders; see job.ts.
import { peerLoad } from "../peers/load/peer-load.ts";
import { cpuTimeMs } from "../process-stats.ts";
import { connectStorm } from "./connect-storm.ts";
import { events } from "./events.ts";
import { fail } from "./fail.ts";
import { groupFanOut } from "./group-fan-out.ts";
import { idle } from "./idle.ts";
import type { Job, Order, Report, Run } from "./job.ts";
import type { Load } from "./load.ts";
import { memberships } from "./memberships.ts";
import { restBroadcast } from "./rest-broadcast.ts";
import { restToUser } from "./rest-to-user.ts";
import { singleMessages } from "./single-messages.ts";
import { smallGroups } from "./small-groups.ts";

/** A loop runs this long before its clock starts: the first round trips are not its pace yet. */
const rampMs = 200;

let ready: Promise<{ readonly job: Job; readonly load: Load }> | null = null;

process.on("message", (message: Job | Order) => {
  obey(message).catch(fail);
});

async function obey(message: Job | Order): Promise<void> {
  if ("workload" in message) {
    ready = prepare(message).then((load) => ({ job: message, load }));
    await ready;
    say({ kind: "ready" });
    return;
  }
  if (ready === null) throw new Error("an order came before the job");
  const { job, load } = await ready;
  say({ kind: "run", run: await measure(load, job.endpoint.pid, message) });
}

async function prepare({ endpoint, workload, share }: Job): Promise<Load> {
  switch (workload.kind) {
    case "groupFanOut":
      return groupFanOut(endpoint, workload);
    case "smallGroups":
      return smallGroups(endpoint, workload, share);
    case "restBroadcast":
      return restBroadcast(endpoint, workload);
    case "restToUser":
      return restToUser(endpoint, workload);
    case "events":
      return events(endpoint, workload);
    case "singleMessages":
      return singleMessages(endpoint, workload);
    case "memberships":
      return memberships(endpoint, workload);
    case "connectStorm":
      return connectStorm(endpoint, workload, share);
    case "idle":
      return idle(endpoint, workload);
    case "peer":
      return peerLoad(endpoint, workload);
  }
}

async function measure(load: Load, serverPid: number, { runMs, perSecond }: Order): Promise<Run> {
  if (perSecond === null) await load.resume();
  else if (load.resumeAt === undefined) throw new Error("this load knows no open loop");
  else load.resumeAt(perSecond);
  await Bun.sleep(rampMs);
  const read = () => ({
    count: load.count,
    at: performance.now(),
    serverCpu: cpuTimeMs(serverPid),
    ownCpu: cpuTimeMs(process.pid),
  });
  const before = read();
  load.latencies?.start(before.at);
  await Bun.sleep(runMs);
  const after = read();
  await load.pause();
  return {
    count: after.count - before.count,
    wallMs: after.at - before.at,
    serverCpuMs: after.serverCpu - before.serverCpu,
    generatorCpuMs: after.ownCpu - before.ownCpu,
    latency: load.latencies?.summary() ?? null,
  };
}

function say(report: Report): void {
  process.send?.(report);
}
