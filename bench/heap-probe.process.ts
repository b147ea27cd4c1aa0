// Loaded into the server in front of its own program: tells about the heap when it is asked over IPC, see probe.ts.
import { heapStats } from "bun:jsc";
import type { HeapFigures, ProbeQuestion } from "./probe.ts";

process.on("message", (question: ProbeQuestion) => {
  if (question === "settled") Bun.gc(true);
  const { heapSize, extraMemorySize, objectTypeCounts } = heapStats();
  const { user, system } = process.cpuUsage();
  const figures: HeapFigures = {
    cpuMicroseconds: user + system,
    heapBytes: heapSize + extraMemorySize,
    objects: objectTypeCounts,
  };
  process.send?.(figures);
});
