import { useCallback, useEffect, useRef, useState } from "react";

/** Something that is being loaded: the last result stays while it is loaded again. */
export interface Loaded<Result> {
  readonly value: Result | null;
  readonly error: string | null;
  readonly isLoading: boolean;
  /** Loads it again. */
  readonly reload: () => void;
  /** Takes a value that an answer brought. */
  readonly set: (value: Result) => void;
}

export interface LoadOptions {
  /** Loads again every so often while the page is visible. */
  readonly everyMs?: number;
}

/**
 * Loads when the component appears and when `key` changes. An answer that comes late, after a newer one or for another key,
 * is left aside. Nothing is asked for while the tab is hidden.
 */
export function useLoad<Result>(
  key: string,
  load: (signal: AbortSignal) => Promise<Result>,
  { everyMs }: LoadOptions = {},
): Loaded<Result> {
  const [state, setState] = useState<{ value: Result | null; error: string | null; isLoading: boolean }>({
    value: null,
    error: null,
    isLoading: true,
  });
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;

  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async (): Promise<void> => {
      if (!document.hidden) {
        setState((before) => ({ ...before, isLoading: true }));
        const next = await latest.current(abort.signal).then(
          (value) => ({ value, error: null }),
          (error: unknown) => ({ error: wordsOf(error) }),
        );
        if (abort.signal.aborted) return;
        setState((before) => ({ ...before, ...next, isLoading: false }));
      }
      if (everyMs !== undefined) timer = setTimeout(() => void run(), everyMs);
    };
    void run();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [key, round, everyMs]);

  const reload = useCallback(() => setRound((before) => before + 1), []);
  const set = useCallback((value: Result) => setState({ value, error: null, isLoading: false }), []);
  return { ...state, reload, set };
}

/** What an error says to a person. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
