import { type SubmitEvent, useState } from "react";
import { signIn } from "../api/http.ts";
import { Brand } from "../parts/brand.tsx";
import { wordsOf } from "./use-load.ts";

/** The page for those who came without the link. */
export function SignIn({ reason, onSignedIn }: { readonly reason: string | null; readonly onSignedIn: () => void }) {
  const [fault, setFault] = useState(reason);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    if (isBusy) return;
    const token = new FormData(event.currentTarget).get("token");
    setBusy(true);
    try {
      await signIn(typeof token === "string" ? token : "");
      onSignedIn();
    } catch (error) {
      setFault(wordsOf(error));
      setBusy(false);
    }
  };
  return (
    <main className="welcome">
      <form className="card" onSubmit={(event) => void submit(event)}>
        <Brand />
        <h1>Sign in</h1>
        <p className="soft">
          Open the <em>Console</em> link that tidewire printed when it started, or give the administration token: it is
          in the file <code>admin-token</code> of the data folder, or configured as{" "}
          <code>service.adminListen.token</code>.
        </p>
        <div className="field">
          <label htmlFor="token">Administration token</label>
          <input
            id="token"
            name="token"
            type="password"
            autoComplete="current-password"
            required
            aria-invalid={fault !== null}
            aria-describedby="token-fault"
          />
          <span id="token-fault" className="fault" role="alert">
            {fault}
          </span>
        </div>
        <button type="submit" className="primary" aria-disabled={isBusy}>
          Sign in
        </button>
      </form>
    </main>
  );
}
