import type { ComponentType } from "react";
import { Connections } from "../pages/connections/connections.tsx";
import { Groups, Users } from "../pages/groups-and-users.tsx";
import { Keys } from "../pages/keys/keys.tsx";
import { LiveTrace } from "../pages/live-trace/live-trace.tsx";
import { Metrics } from "../pages/metrics.tsx";
import { Networking } from "../pages/networking/networking.tsx";
import { Overview } from "../pages/overview.tsx";
import { Playground } from "../pages/playground/playground.tsx";
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
  {
    title: "Clients",
    pages: [
      { id: "connections", title: "Connections", content: Connections },
      { id: "groups", title: "Groups", content: Groups },
      { id: "users", title: "Users", content: Users },
    ],
  },
  {
    title: "Monitoring",
    pages: [
      { id: "live-trace", title: "Live trace", content: LiveTrace },
      { id: "playground", title: "Playground", content: Playground },
      { id: "metrics", title: "Metrics", content: Metrics },
    ],
  },
];
