import { createContext, type ReactNode, useContext } from "react";
import { admin, type Status } from "../api/admin.ts";
import { type Loaded, useLoad } from "./use-load.ts";

const StatusContext = createContext<Loaded<Status> | null>(null);

/** Keeps the state of the service at hand for every page. */
export function StatusProvider({ children }: { readonly children: ReactNode }) {
  const status = useLoad("status", () => admin.status(), { everyMs: 5000 });
  return <StatusContext value={status}>{children}</StatusContext>;
}

/** The state of the service, at most five seconds old. */
export function useStatus(): Loaded<Status> {
  const status = useContext(StatusContext);
  if (status === null) throw new Error("useStatus needs a StatusProvider above it");
  return status;
}
