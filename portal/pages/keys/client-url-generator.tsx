import { type SubmitEvent, useState } from "react";
import { bestEndpoint, clientUrl, dataPlane } from "../../api/data-plane.ts";
import { linkTo } from "../../app/router.ts";
import { useStatus } from "../../app/status.tsx";
import { useAction } from "../../app/use-action.ts";
import { wordsOf } from "../../app/use-load.ts";
import { CopyField } from "../../parts/copy-field.tsx";
import { linesOf } from "../../parts/lines.ts";
import { Notice } from "../../parts/notice.tsx";
import { type ClientAccessForm, connectCode, playgroundParameters, protocols, rolesOf } from "./client-access.ts";
import { ClientFields, RightsFields } from "./client-fields.tsx";
import "./keys.css";

const emptyForm: ClientAccessForm = {
  hub: "",
  userId: "",
  groups: "",
  sendsToAnyGroup: false,
  sendsToGroups: "",
  joinsAnyGroup: false,
  joinsGroups: "",
  minutes: "60",
  protocol: "json",
  endpoint: "",
};

/** Makes a client URL as a server would; nothing of it is kept. */
export function ClientUrlGenerator() {
  const status = useStatus();
  const action = useAction();
  const [typed, setTyped] = useState(emptyForm);
  const [token, setToken] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const endpoints = status.value?.endpoints ?? [];
  const form = { ...typed, endpoint: typed.endpoint === "" ? bestEndpoint(endpoints) : typed.endpoint };
  const show = (next: string | null, why: string | null): void => {
    setToken(next);
    setFault(why);
  };
  const change = (part: Partial<ClientAccessForm>): void => {
    setTyped({ ...typed, ...part });
    // What was made does not say any more what the form says.
    show(null, null);
  };
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    action.run(
      async () => {
        const made = await dataPlane.generateToken({
          hub: form.hub.trim(),
          userId: form.userId,
          roles: rolesOf(form),
          groups: linesOf(form.groups),
          minutesToExpire: Number(form.minutes),
        });
        show(made, null);
      },
      (error) => show(null, wordsOf(error)),
    );
  };
  return (
    <section className="card" aria-label="Client URL Generator">
      <h2>Client URL Generator</h2>
      <p className="soft">
        A client URL lets one client connect, as this user and with these rights, until it expires. Applications make
        them with the server SDK; this one is to try things. Nothing you enter is stored.
      </p>
      <form className="stack" onSubmit={submit}>
        <ClientFields form={form} endpoints={endpoints} onChange={change} />
        <RightsFields form={form} onChange={change} />
        {fault !== null && <Notice kind="alarm">{fault}</Notice>}
        <div className="row">
          <button type="submit" className="primary" disabled={endpoints.length === 0} aria-disabled={action.isBusy}>
            Generate client URL
          </button>
        </div>
      </form>
      {token !== null && <MadeUrl form={form} token={token} />}
    </section>
  );
}

interface MadeUrlProps {
  readonly form: ClientAccessForm;
  readonly token: string;
}

function MadeUrl({ form, token }: MadeUrlProps) {
  const url = clientUrl(form.endpoint, form.hub.trim(), token);
  const protocol = protocols.find(({ id }) => id === form.protocol);
  return (
    <div className="made stack fade">
      <CopyField key={url} label="Client URL" value={url} />
      <CopyField key={token} label="Token" value={token} />
      {protocol !== undefined && (
        <CopyField key={protocol.id} label="In JavaScript, with the URL as url" value={connectCode(protocol)} />
      )}
      <div className="row">
        <a className="button" href={linkTo("playground", playgroundParameters(form))}>
          Try it in Playground
        </a>
        <span className="small soft grow">
          The Playground makes a URL of its own with the same hub, user, groups, roles and protocol.
        </span>
      </div>
    </div>
  );
}
