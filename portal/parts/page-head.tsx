import type { ReactNode } from "react";

export interface PageHeadProps {
  readonly title: string;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
}

/** Title of a page, one sentence on it, and what can be done. */
export function PageHead({ title, children, actions }: PageHeadProps) {
  return (
    <header className="page-head">
      <h1>{title}</h1>
      {actions !== undefined && <div className="actions">{actions}</div>}
      {children !== undefined && <p>{children}</p>}
    </header>
  );
}
