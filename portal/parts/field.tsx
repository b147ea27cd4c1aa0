import { type ReactNode, useId } from "react";

export interface FieldProps {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly fault?: string | null;
  /** The control; it gets the id that the label names and the one of the hint. */
  readonly children: (ids: {
    readonly id: string;
    readonly "aria-describedby": string | undefined;
    readonly "aria-invalid": boolean;
  }) => ReactNode;
}

/** A labelled control with a hint and, where something is wrong, the reason. */
export function Field({ label, hint, fault = null, children }: FieldProps) {
  const id = useId();
  const about = fault ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        "aria-describedby": about === undefined ? undefined : `${id}-hint`,
        "aria-invalid": fault !== null,
      })}
      {about !== undefined && (
        <span id={`${id}-hint`} className={fault === null ? "hint" : "fault"}>
          {about}
        </span>
      )}
    </div>
  );
}

export interface CheckProps {
  readonly label: ReactNode;
  readonly isChecked: boolean;
  readonly onChange: (isChecked: boolean) => void;
  readonly isDisabled?: boolean;
}

/** A labelled checkbox. */
export function Check({ label, isChecked, onChange, isDisabled = false }: CheckProps) {
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={isChecked}
        disabled={isDisabled}
        onChange={({ target }) => onChange(target.checked)}
      />
      {label}
    </label>
  );
}
