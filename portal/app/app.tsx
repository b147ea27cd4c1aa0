import { type ReactNode, useEffect, useState } from "react";
import { isSignedIn, signedOutEvent, signIn, signOut } from "../api/http.ts";
import { Frame } from "./frame.tsx";
import { ReadingsProvider } from "./readings.tsx";
import { SignIn } from "./sign-in.tsx";
import { StatusProvider } from "./status.tsx";
import { ToastProvider } from "./toasts.tsx";
import { wordsOf } from "./use-load.ts";

type Session =
  | { readonly kind: "unknown" }
  | { readonly kind: "in" }
  | { readonly kind: "out"; readonly reason: string | null };

/** The console: signed in, every page; else the way in. */
export function App() {
  const [session, setSession] = useState<Session>({ kind: "unknown" });
  useEffect(() => {
    const follow = (): void => void enter().then(setSession);
    const signedOut = (): void => setSession({ kind: "out", reason: "The session is over. Sign in again." });
    const hashChanged = (): void => {
      if (linkToken() !== null) follow();
    };
    window.addEventListener(signedOutEvent, signedOut);
    window.addEventListener("hashchange", hashChanged);
    follow();
    return () => {
      window.removeEventListener(signedOutEvent, signedOut);
      window.removeEventListener("hashchange", hashChanged);
    };
  }, []);
  const leave = async (): Promise<void> => {
    await signOut();
    setSession({ kind: "out", reason: null });
  };
  return <ToastProvider>{content(session, { leave, signedIn: () => setSession({ kind: "in" }) })}</ToastProvider>;
}

function content(
  session: Session,
  actions: { readonly leave: () => Promise<void>; readonly signedIn: () => void },
): ReactNode {
  switch (session.kind) {
    case "unknown":
      return null;
    case "out":
      return <SignIn key={session.reason} reason={session.reason} onSignedIn={actions.signedIn} />;
    case "in":
      return (
        <StatusProvider>
          <ReadingsProvider>
            <Frame onSignOut={actions.leave} />
          </ReadingsProvider>
        </StatusProvider>
      );
  }
}

/** The token of the sign-in link, `#signin=…`. */
function linkToken(): string | null {
  return /^#signin=([\w-]+)$/.exec(location.hash)?.[1] ?? null;
}

/** Uses the link's token, which leaves the address bar at once, or the session that is there. */
async function enter(): Promise<Session> {
  const token = linkToken();
  try {
    if (token !== null) {
      history.replaceState(null, "", "#/overview");
      await signIn(token);
      return { kind: "in" };
    }
    return (await isSignedIn()) ? { kind: "in" } : { kind: "out", reason: null };
  } catch (error) {
    return { kind: "out", reason: wordsOf(error) };
  }
}
