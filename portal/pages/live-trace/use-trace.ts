import { useCallback, useEffect, useRef, useState } from "react";
import { admin } from "../../api/admin.ts";
import { bestEndpoint } from "../../api/data-plane.ts";
import { type TraceFilter, type TraceLine, TraceView } from "../../api/live-trace.ts";
import { wordsOf } from "../../app/use-load.ts";

export type TraceState =
  | { readonly kind: "idle" }
  | { readonly kind: "starting" }
  | { readonly kind: "capturing" }
  | { readonly kind: "ended"; readonly reason: string };

export interface Trace {
  readonly state: TraceState;
  readonly lines: readonly TraceLine[];
  /** Lines the service left out, and older ones that this page forgot. */
  readonly dropped: number;
  readonly forgotten: number;
  readonly start: () => void;
  readonly stop: () => void;
  readonly clear: () => void;
}

export interface TraceWishes {
  readonly filter: TraceFilter;
  readonly wantsBodies: boolean;
}

const maxLines = 10_000;
/** Lines are shown in batches: a flood must not render the page once per line. */
const batchMs = 200;

/** Captures live trace; the view is closed with the page. */
export function useTrace(endpoints: readonly string[], wishes: TraceWishes): Trace {
  const [state, setState] = useState<TraceState>({ kind: "idle" });
  const [lines, setLines] = useState<readonly TraceLine[]>([]);
  const [dropped, setDropped] = useState(0);
  const [forgotten, setForgotten] = useState(0);
  const view = useRef<TraceView | null>(null);
  /** Counts starts and ends, so that a token that comes late opens nothing. */
  const round = useRef(0);
  const waiting = useRef<TraceLine[]>([]);
  const wanted = useRef(wishes);
  wanted.current = wishes;

  useEffect(() => {
    const timer = setInterval(() => {
      const batch = waiting.current;
      if (batch.length === 0) return;
      waiting.current = [];
      setLines((before) => {
        const all = [...before, ...batch];
        const surplus = Math.max(0, all.length - maxLines);
        if (surplus > 0) setForgotten((count) => count + surplus);
        return surplus > 0 ? all.slice(surplus) : all;
      });
    }, batchMs);
    return () => {
      clearInterval(timer);
      round.current += 1;
      view.current?.close();
      view.current = null;
    };
  }, []);

  const { hub, connectionId, userId } = wishes.filter;
  useEffect(() => view.current?.filter({ hub, connectionId, userId }), [hub, connectionId, userId]);
  useEffect(() => view.current?.captureBodies(wishes.wantsBodies), [wishes.wantsBodies]);

  const start = useCallback(() => {
    setState({ kind: "starting" });
    round.current += 1;
    const own = round.current;
    void admin.liveTraceToken(bestEndpoint(endpoints)).then(
      (access) => {
        if (round.current !== own) return;
        view.current?.close();
        const opened = new TraceView(access, {
          started: () => {
            const { filter, wantsBodies } = wanted.current;
            opened.filter(filter);
            if (wantsBodies) opened.captureBodies(true);
            setState({ kind: "capturing" });
          },
          lines: (batch) => waiting.current.push(...batch),
          dropped: (count) => setDropped((before) => before + count),
          ended: (reason) => setState({ kind: "ended", reason }),
        });
        view.current = opened;
      },
      (error: unknown) => {
        if (round.current === own) setState({ kind: "ended", reason: wordsOf(error) });
      },
    );
  }, [endpoints.join()]);
  const stop = useCallback(() => {
    round.current += 1;
    view.current?.close();
    view.current = null;
    setState({ kind: "idle" });
  }, []);
  const clear = useCallback(() => {
    waiting.current = [];
    setLines([]);
    setDropped(0);
    setForgotten(0);
  }, []);
  return { state, lines, dropped, forgotten, start, stop, clear };
}
