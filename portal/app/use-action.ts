import { useRef, useState } from "react";
import { useSay } from "./toasts.tsx";
import { wordsOf } from "./use-load.ts";

/** What a button starts. */
export interface Action {
  /** For `aria-disabled`: a button that is disabled while it works loses the focus of who uses the keyboard. */
  readonly isBusy: boolean;
  /** Runs it unless one is running; a failure goes to `onFailure`, or is said. */
  run(work: () => Promise<void>, onFailure?: (error: unknown) => void): void;
}

/** Runs one thing after the other, so that a double click does nothing twice. */
export function useAction(): Action {
  const say = useSay();
  const isRunning = useRef(false);
  const [isBusy, setBusy] = useState(false);
  const attempt = async (work: () => Promise<void>, onFailure: (error: unknown) => void): Promise<void> => {
    isRunning.current = true;
    setBusy(true);
    try {
      await work();
    } catch (error) {
      onFailure(error);
    }
    isRunning.current = false;
    setBusy(false);
  };
  return {
    isBusy,
    run: (work, onFailure = (error) => say(wordsOf(error))) => {
      if (!isRunning.current) void attempt(work, onFailure);
    },
  };
}
