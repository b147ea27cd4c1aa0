import { type SubmitEvent, useId, useState } from "react";
import { admin } from "../../api/admin.ts";
import { bestEndpoint, clientUrl, dataPlane } from "../../api/data-plane.ts";
import { linkTo } from "../../app/router.ts";
import { useStatus } from "../../app/status.tsx";
import { useAction } from "../../app/use-action.ts";
import { useLoad, wordsOf } from "../../app/use-load.ts";
import { CopyField } from "../../parts/copy-field.tsx";
import { Check, Field } from "../../parts/field.tsx";
import { linesOf } from "../../parts/lines.ts";
import { Notice } from "../../parts/notice.tsx";
import {
  type ClientAccessForm,
  connectCode,
  hubSuggestions,
  playgroundParameters,
  protocols,
  rolesOf,
} from "./client-access.ts";
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
  const hubs = useLoad("hubs", () => admin.hubs());
  const action = useAction();
  const [form, setForm] = useState(emptyForm);
  const [made, setMade] = useState<{ readonly url: string; readonly token: string } | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const listId = useId();
  const endpoints = status.value?.endpoints ?? [];
  const endpoint = form.endpoint === "" ? bestEndpoint(endpoints) : form.endpoint;
  const suggestions = hubSuggestions(
    (hubs.value ?? []).map(({ name }) => name),
    Object.keys(status.value?.connections.hubs ?? {}),
  );
  const change = (part: Partial<ClientAccessForm>): void => {
    setForm({ ...form, ...part });
    // What was made does not say any more what the form says.
    setMade(null);
    setFault(null);
  };
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    action.run(
      async () => {
        const hub = form.hub.trim();
        const token = await dataPlane.generateToken({
          hub,
          userId: form.userId,
          roles: rolesOf(form),
          groups: linesOf(form.groups),
          minutesToExpire: Number(form.minutes),
        });
        setMade({ token, url: clientUrl(endpoint, hub, token) });
        setFault(null);
      },
      (error) => {
        setMade(null);
        setFault(wordsOf(error));
      },
    );
  };
  return (
    <section className="card" aria-label="Client URL Generator">
      <header>
        <h2>Client URL Generator</h2>
      </header>
      <p className="soft">
        A client URL lets one client connect, as this user and with these rights, until it expires. Applications make
        them with the server SDK; this one is to try things. Nothing you enter is stored.
      </p>
      <form className="stack" onSubmit={submit}>
        <div className="grid">
          <Field label="Hub" hint="Needs no settings of its own.">
            {(ids) => (
              <input
                {...ids}
                required
                list={listId}
                autoComplete="off"
                spellCheck={false}
                value={form.hub}
                onChange={({ target }) => change({ hub: target.value })}
              />
            )}
          </Field>
          <datalist id={listId}>
            {suggestions.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
          <Field label="User ID" hint="Empty: a client without a user.">
            {(ids) => (
              <input
                {...ids}
                autoComplete="off"
                spellCheck={false}
                value={form.userId}
                onChange={({ target }) => change({ userId: target.value })}
              />
            )}
          </Field>
          <Field label="Lifetime in minutes" hint="Until when a client can connect with it.">
            {(ids) => (
              <input
                {...ids}
                type="number"
                inputMode="numeric"
                required
                min={1}
                max={2_147_483_647}
                step={1}
                value={form.minutes}
                onChange={({ target }) => change({ minutes: target.value })}
              />
            )}
          </Field>
          <Field label="Sub-protocol" hint="The URL is the same; the client names it when it connects.">
            {(ids) => (
              <select {...ids} value={form.protocol} onChange={({ target }) => change({ protocol: target.value })}>
                {protocols.map(({ id, title }) => (
                  <option key={id} value={id}>
                    {title}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label="Endpoint" hint={endpoint.startsWith("https:") ? "Encrypted: wss." : "Not encrypted: ws."}>
            {(ids) => (
              <select {...ids} value={endpoint} onChange={({ target }) => change({ endpoint: target.value })}>
                {endpoints.map((each) => (
                  <option key={each}>{each}</option>
                ))}
              </select>
            )}
          </Field>
        </div>
        <div className="grid">
          <GroupsField
            label="Join these groups at once"
            value={form.groups}
            onChange={(groups) => change({ groups })}
            hint="One in each line."
          />
          <fieldset className="stack">
            <legend>Send to groups</legend>
            <Check
              label="Send to any group"
              isChecked={form.sendsToAnyGroup}
              onChange={(sendsToAnyGroup) => change({ sendsToAnyGroup })}
            />
            {!form.sendsToAnyGroup && (
              <GroupsField
                label="Send to these groups"
                value={form.sendsToGroups}
                onChange={(sendsToGroups) => change({ sendsToGroups })}
                hint="One in each line; empty for none."
              />
            )}
          </fieldset>
          <fieldset className="stack">
            <legend>Join and leave groups</legend>
            <Check
              label="Join and leave any group"
              isChecked={form.joinsAnyGroup}
              onChange={(joinsAnyGroup) => change({ joinsAnyGroup })}
            />
            {!form.joinsAnyGroup && (
              <GroupsField
                label="Join and leave these groups"
                value={form.joinsGroups}
                onChange={(joinsGroups) => change({ joinsGroups })}
                hint="One in each line; empty for none."
              />
            )}
          </fieldset>
        </div>
        {fault !== null && <Notice kind="alarm">{fault}</Notice>}
        <div className="row">
          <button type="submit" className="primary" disabled={action.isBusy}>
            Generate client URL
          </button>
        </div>
      </form>
      {made !== null && <MadeUrl form={form} url={made.url} token={made.token} />}
    </section>
  );
}

interface GroupsFieldProps {
  readonly label: string;
  readonly hint: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function GroupsField({ label, hint, value, onChange }: GroupsFieldProps) {
  return (
    <Field label={label} hint={hint}>
      {(ids) => (
        <textarea
          {...ids}
          className="few-lines"
          spellCheck={false}
          value={value}
          onChange={({ target }) => onChange(target.value)}
        />
      )}
    </Field>
  );
}

interface MadeUrlProps {
  readonly form: ClientAccessForm;
  readonly url: string;
  readonly token: string;
}

function MadeUrl({ form, url, token }: MadeUrlProps) {
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
        <span className="small soft">
          The Playground makes a URL of its own with the same hub, user, groups and roles.
        </span>
      </div>
    </div>
  );
}
