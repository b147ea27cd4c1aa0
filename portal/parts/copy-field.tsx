import { useState } from "react";
import { useSay } from "../app/toasts.tsx";

export interface CopyFieldProps {
  /** What it is, for the label and the button. */
  readonly label: string;
  readonly value: string;
  /** Shown as dots until it is asked for. */
  readonly isSecret?: boolean;
}

/** A text to take away: shown whole, copied with one click. */
export function CopyField({ label, value, isSecret = false }: CopyFieldProps) {
  const say = useSay();
  const [isShown, setShown] = useState(!isSecret);
  const copy = async (): Promise<void> => {
    // Not on every page: browsers offer the clipboard to secure contexts and loopback addresses only.
    const wasCopied = await navigator.clipboard?.writeText(value).then(
      () => true,
      () => false,
    );
    say(wasCopied === true ? `Copied: ${label}` : "This browser does not allow copying here; select the text instead.");
  };
  return (
    <div className="field">
      <span className="small">
        <strong>{label}</strong>
      </span>
      <div className="copy">
        <output aria-label={label}>{isShown ? value : "•".repeat(24)}</output>
        {isSecret && (
          <button type="button" aria-pressed={isShown} aria-label={`Show ${label}`} onClick={() => setShown(!isShown)}>
            {isShown ? "Hide" : "Show"}
          </button>
        )}
        <button type="button" aria-label={`Copy ${label}`} onClick={() => void copy()}>
          Copy
        </button>
      </div>
    </div>
  );
}
