import { type ReactNode, type SubmitEvent, useEffect, useRef, useState } from "react";
import { admin, type Hub } from "../../api/admin.ts";
import { ApiError } from "../../api/http.ts";
import { useSay } from "../../app/toasts.tsx";
import { useAction } from "../../app/use-action.ts";
import { wordsOf } from "../../app/use-load.ts";
import { Confirm, Dialog } from "../../parts/dialog.tsx";
import { faultAt, faultsElsewhere, faultsOf, type SettingFault } from "../../parts/faults.ts";
import { Field } from "../../parts/field.tsx";
import { Notice } from "../../parts/notice.tsx";
import { HandlerEditor, handlerFieldPaths } from "./handler-editor.tsx";
import {
  defaultHub,
  draftOf,
  type EntryList,
  type HubDraft,
  isSame,
  nameFault,
  propertiesOf,
  withEntryMovedUp,
  withEntrySettings,
  withNewEntry,
  withoutEntry,
} from "./hub-draft.ts";
import { ListenerEditor, listenerFieldPaths } from "./listener-editor.tsx";
import { type RawSettings, textAt, textsAt, withValue } from "./raw-settings.ts";
import { ListField } from "./setting-fields.tsx";

interface HubEditorProps {
  /** The hub to edit, or only the name of one without settings; null: a new one. */
  readonly hub: Hub | string | null;
  /** Hubs that have settings. */
  readonly hubs: readonly Hub[];
  readonly onSaved: () => void;
  readonly onClose: () => void;
}

/** The settings of one hub, all of them, to be saved together. */
export function HubEditor({ hub, hubs, onSaved, onClose }: HubEditorProps) {
  const known = typeof hub === "string" ? { name: hub, properties: {} } : hub;
  const [original] = useState(() => draftOf(known?.name ?? "", known?.properties));
  const [draft, setDraft] = useState(original);
  const [faults, setFaults] = useState<readonly SettingFault[]>([]);
  const [failure, setFailure] = useState<string | null>(null);
  const [isAsking, setAsking] = useState(false);
  const say = useSay();
  const action = useAction();
  const form = useRef<HTMLFormElement>(null);
  const isChanged = !isSame(draft, original);
  useWarningBeforeUnload(isChanged);
  useEffect(() => {
    if (failure !== null) form.current?.querySelector('[aria-invalid="true"], .notice.alarm')?.scrollIntoView();
  }, [failure]);
  const name = draft.name.trim();
  const save = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const wrongName = known === null ? nameFault(name, hubs) : null;
    if (wrongName !== null) {
      setFaults([{ target: "", message: wrongName }]);
      setFailure("The hub needs a name of its own.");
      return;
    }
    setFailure(null);
    setFaults([]);
    action.run(
      async () => {
        await admin.putHub(name, propertiesOf(draft));
        say(`Saved: ${titleOf(name)}`);
        onSaved();
      },
      (error) => {
        const details = error instanceof ApiError ? error.details : [];
        setFaults(faultsOf(details, [`hubs.${name}`, `hubs[${JSON.stringify(name)}]`]));
        setFailure(details.length === 0 ? wordsOf(error) : "Nothing was saved; some settings are not right.");
      },
    );
  };
  const leave = (): void => (isChanged ? setAsking(true) : onClose());
  const change = (settings: RawSettings): void => setDraft({ ...draft, settings });
  const rest = faultsElsewhere(faults, fieldPaths(draft));
  return (
    <Dialog title={known === null ? "Add a hub" : titleOf(known.name)} onClose={leave} isSheet>
      <form className="hub-form" ref={form} onSubmit={save} noValidate>
        {failure !== null && (
          <Notice kind="alarm">
            {failure}
            {rest.map(({ target, message }) => (
              <span key={`${target} ${message}`} className="line">
                <code>{target}</code> {message}
              </span>
            ))}
          </Notice>
        )}
        {known === null && (
          <Field
            label="Hub name"
            hint="Begins with a letter. Applications and clients name it; upper and lower case are the same."
            fault={faultAt(faults, "")}
          >
            {(ids) => (
              <input
                {...ids}
                autoComplete="off"
                spellCheck={false}
                value={draft.name}
                onChange={({ target }) => setDraft({ ...draft, name: target.value })}
              />
            )}
          </Field>
        )}
        <Entries
          draft={draft}
          list="eventHandlers"
          title="Event handlers"
          one="Event handler"
          onChange={setDraft}
          about="Your web servers. In order: the first one that wants an event gets it, and may answer."
        >
          {(settings, set, root) => (
            <HandlerEditor hub={name} settings={settings} onChange={set} root={root} faults={faults} />
          )}
        </Entries>
        <Entries
          draft={draft}
          list="eventListeners"
          title="Event listeners"
          one="Event listener"
          onChange={setDraft}
          about="Get a copy of events, and never answer. Every one that wants an event gets it."
        >
          {(settings, set, root) => <ListenerEditor settings={settings} onChange={set} root={root} faults={faults} />}
        </Entries>
        <section className="stack" aria-label="Connections">
          <h3>Connections</h3>
          <div className="grid">
            <Field
              label="Anonymous clients"
              hint="Clients without a token."
              fault={faultAt(faults, "anonymousConnectPolicy")}
            >
              {(ids) => (
                <select
                  {...ids}
                  value={textAt(draft.settings, ["anonymousConnectPolicy"])}
                  onChange={({ target }) => change({ ...draft.settings, anonymousConnectPolicy: target.value })}
                >
                  <option value="deny">Deny</option>
                  <option value="allow">Allow</option>
                </select>
              )}
            </Field>
            <Field
              label="WebSocket keep-alive in seconds"
              hint="Interval of pings, 1 to 120."
              fault={faultAt(faults, "webSocketKeepAliveIntervalInSeconds")}
            >
              {(ids) => (
                <input
                  {...ids}
                  inputMode="numeric"
                  autoComplete="off"
                  value={textAt(draft.settings, ["webSocketKeepAliveIntervalInSeconds"])}
                  onChange={({ target }) =>
                    change({ ...draft.settings, webSocketKeepAliveIntervalInSeconds: numberOrText(target.value) })
                  }
                />
              )}
            </Field>
          </div>
          <ListField
            label="Allowed origins"
            hint="Web pages that may connect: * for all, or origins such as https://app.example.com, one in each line. Empty: none."
            fault={faultAt(faults, "allowedOrigins")}
            values={textsAt(draft.settings, ["allowedOrigins"])}
            onChange={(values) => change(withValue(draft.settings, ["allowedOrigins"], values))}
          />
        </section>
        <div className="row end sheet-foot">
          <span className="grow small soft">
            {isChanged ? "Changes count for the next events and connections." : "Nothing changed yet."}
          </span>
          <button type="button" onClick={leave}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={action.isBusy || (!isChanged && known !== null)}>
            Save
          </button>
        </div>
      </form>
      {isAsking && (
        <Confirm
          title="Leave without saving?"
          action="Discard changes"
          onClose={() => setAsking(false)}
          onConfirm={onClose}
        >
          <p>What you changed in {titleOf(name)} is lost.</p>
        </Confirm>
      )}
    </Dialog>
  );
}

interface EntriesProps {
  readonly draft: HubDraft;
  readonly list: EntryList;
  readonly title: string;
  readonly one: string;
  readonly about: string;
  readonly onChange: (draft: HubDraft) => void;
  readonly children: (settings: RawSettings, set: (settings: RawSettings) => void, root: string) => ReactNode;
}

/** Handlers or listeners of a hub. */
function Entries({ draft, list, title, one, about, onChange, children }: EntriesProps) {
  const entries = draft[list];
  const isOrdered = list === "eventHandlers" && entries.length > 1;
  return (
    <section className="stack" aria-label={title}>
      <h3>{title}</h3>
      <p className="small soft">{about}</p>
      {entries.map(({ key, settings }, index) => (
        <section key={key} className="entry" aria-label={`${one} ${index + 1}`}>
          <header className="row">
            <strong className="grow">
              {one} {index + 1}
            </strong>
            {isOrdered && (
              <>
                <button
                  type="button"
                  className="quiet"
                  aria-label={`Move ${one.toLowerCase()} ${index + 1} up`}
                  disabled={index === 0}
                  onClick={() => onChange(withEntryMovedUp(draft, list, index))}
                >
                  Up
                </button>
                <button
                  type="button"
                  className="quiet"
                  aria-label={`Move ${one.toLowerCase()} ${index + 1} down`}
                  disabled={index === entries.length - 1}
                  onClick={() => onChange(withEntryMovedUp(draft, list, index + 1))}
                >
                  Down
                </button>
              </>
            )}
            <button
              type="button"
              className="quiet danger"
              aria-label={`Remove ${one.toLowerCase()} ${index + 1}`}
              onClick={() => onChange(withoutEntry(draft, list, index))}
            >
              Remove
            </button>
          </header>
          {children(
            settings,
            (changed) => onChange(withEntrySettings(draft, list, { key, settings: changed })),
            `${list}[${index}]`,
          )}
        </section>
      ))}
      <div className="row">
        <button type="button" onClick={() => onChange(withNewEntry(draft, list))}>
          Add {one.toLowerCase()}
        </button>
      </div>
    </section>
  );
}

/** Paths of every setting that has a field in the editor as it is now. */
function fieldPaths(draft: HubDraft): readonly string[] {
  const within = (list: EntryList, paths: readonly string[]): readonly string[] =>
    draft[list].flatMap((_, index) => paths.map((path) => `${list}[${index}].${path}`));
  return [
    "",
    "anonymousConnectPolicy",
    "webSocketKeepAliveIntervalInSeconds",
    "allowedOrigins",
    ...within("eventHandlers", handlerFieldPaths),
    ...within("eventListeners", listenerFieldPaths),
  ];
}

/** What a person calls a hub's settings. */
export function titleOf(name: string): string {
  return name === defaultHub ? "every other hub (*)" : name === "" ? "the new hub" : name;
}

/** Digits as a number, anything else as typed: the service says what is wrong with it. */
function numberOrText(text: string): number | string {
  return /^\d{1,9}$/.test(text.trim()) ? Number(text) : text;
}

/** The browser asks before the page goes away. */
function useWarningBeforeUnload(isChanged: boolean): void {
  useEffect(() => {
    if (!isChanged) return;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [isChanged]);
}
