import type { SettingFault } from "./faults.ts";
import { Notice } from "./notice.tsx";

export interface SaveFailureProps {
  /** What went wrong; null: nothing did. */
  readonly failure: string | null;
  /** What no field shows. */
  readonly faults: readonly SettingFault[];
}

/** Why something was not saved. */
export function SaveFailure({ failure, faults }: SaveFailureProps) {
  if (failure === null) return null;
  return (
    <Notice kind="alarm">
      {failure}
      {faults.map(({ target, message }) => (
        <span key={`${target} ${message}`} className="line">
          <code>{target}</code> {message}
        </span>
      ))}
    </Notice>
  );
}
