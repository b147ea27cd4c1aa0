import type { ComponentType } from "react";
import { Keys } from "../pages/keys/keys.tsx";
import { Networking } from "../pages/networking/networking.tsx";
import { Overview } from "../pages/overview.tsx";
import { Settings } from "../pages/settings/settings.tsx";

export interface PageEntry {
  /** Its name in the address bar. */
  readonly id: string;
  readonly title: string;
  readonly content: ComponentType;
}

/** Every page, grouped as in the navigation; names are those of Azure's portal where it has the page. */
export const pageGroups: readonly { readonly title: string; readonly pages: readonly PageEntry[] }[] = [
  {
    title: "Service",
    pages: [
      { id: "overview", title: "Overview", content: Overview },
      { id: "keys", title: "Keys", content: Keys },
      { id: "settings", title: "Settings", content: Settings },
      { id: "networking", title: "Networking", content: Networking },
    ],
  },
];
