import type { ComponentType } from "react";
import { Overview } from "../pages/overview.tsx";

export interface PageEntry {
  /** Its name in the address bar. */
  readonly id: string;
  readonly title: string;
  readonly content: ComponentType;
}

/** Every page, grouped as in the navigation; names are those of Azure's portal where it has the page. */
export const pageGroups: readonly { readonly title: string; readonly pages: readonly PageEntry[] }[] = [
  { title: "Service", pages: [{ id: "overview", title: "Overview", content: Overview }] },
];
