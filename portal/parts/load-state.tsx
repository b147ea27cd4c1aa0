import type { Loaded } from "../app/use-load.ts";
import { Notice } from "./notice.tsx";

export interface LoadStateProps {
  /** What is loaded, as in "Loading the keys". */
  readonly what: string;
  readonly loaded: Pick<Loaded<unknown>, "value" | "error" | "reload">;
}

/** That something is being loaded, or why it cannot be shown; nothing once it is there. */
export function LoadState({ what, loaded }: LoadStateProps) {
  const { value, error } = loaded;
  if (error === null) return value === null ? <p className="soft">Loading {what} …</p> : null;
  return (
    <Notice
      kind="alarm"
      actions={
        <button type="button" onClick={() => loaded.reload()}>
          Try again
        </button>
      }
    >
      Cannot load {what}. {error}
    </Notice>
  );
}
