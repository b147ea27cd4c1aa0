import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { type Reading, readMetrics } from "../api/metrics.ts";

const everyMs = 2000;
/** Ten minutes, bounded. */
const maxReadings = 300;

const ReadingsContext = createContext<readonly Reading[]>([]);

/** Reads the metrics while the console is open and visible, and keeps the last ten minutes for the charts of every page. */
export function ReadingsProvider({ children }: { readonly children: ReactNode }) {
  const [readings, setReadings] = useState<readonly Reading[]>([]);
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async (): Promise<void> => {
      if (!document.hidden) {
        // What is wrong with the service is said by its status, at the top of every page.
        const reading = await readMetrics(abort.signal).catch(() => null);
        if (abort.signal.aborted) return;
        if (reading !== null) setReadings((before) => [...before.slice(1 - maxReadings), reading]);
      }
      timer = setTimeout(() => void read(), everyMs);
    };
    void read();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, []);
  return <ReadingsContext value={readings}>{children}</ReadingsContext>;
}

/** The readings so far, oldest first. */
export function useReadings(): readonly Reading[] {
  return useContext(ReadingsContext);
}
