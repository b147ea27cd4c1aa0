import type { ReactNode } from "react";

export interface NoticeProps {
  readonly kind?: "info" | "warn" | "alarm";
  readonly children: ReactNode;
  /** Buttons that do something about it. */
  readonly actions?: ReactNode;
}

/** Something to know before going on; an alarm is read out at once. */
export function Notice({ kind = "info", children, actions }: NoticeProps) {
  return (
    <div className={`notice ${kind}`} role={kind === "alarm" ? "alert" : "status"}>
      <p>{children}</p>
      {actions}
    </div>
  );
}

export interface EmptyProps {
  readonly title: string;
  /** What to do so that it is not empty. */
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}

/** In place of a list that has nothing to show. */
export function Empty({ title, children, action }: EmptyProps) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      <p>{children}</p>
      {action}
    </div>
  );
}
