import { type SubmitEvent, useEffect, useRef, useState } from "react";
import { admin, type Hub } from "../../api/admin.ts";
import { ApiError } from "../../api/http.ts";
import { useSay } from "../../app/toasts.tsx";
import { useAction } from "../../app/use-action.ts";
import { wordsOf } from "../../app/use-load.ts";
import { Confirm, Dialog } from "../../parts/dialog.tsx";
import { faultAt, faultsElsewhere, faultsOf, type SettingFault } from "../../parts/faults.ts";
import { Field } from "../../parts/field.tsx";
import { SaveFailure } from "../../parts/save-failure.tsx";
import { Entries } from "./entries.tsx";
import { HandlerEditor, handlerFieldPaths } from "./handler-editor.tsx";
import { draftOf, type EntryList, type HubDraft, isSame, nameFault, propertiesOf, titleOf } from "./hub-draft.ts";
import { ListenerEditor, listenerFieldPaths } from "./listener-editor.tsx";
import { type RawSettings, textAt, textsAt } from "./raw-settings.ts";
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
  const isSaved = !isChanged && known !== null;
  useWarningBeforeUnload(isChanged);
  useEffect(() => {
    if (failure === null) return;
    const wrong = form.current?.querySelector<HTMLElement>('[aria-invalid="true"]');
    wrong?.focus();
    (wrong ?? form.current?.querySelector(".notice.alarm"))?.scrollIntoView({ block: "center" });
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
  return (
    <Dialog title={known === null ? "Add a hub" : titleOf(known.name)} onClose={leave} isSheet>
      <form className="hub-form" ref={form} onSubmit={save} noValidate>
        <SaveFailure failure={failure} faults={faultsElsewhere(faults, fieldPaths(draft))} />
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
        <ConnectionFields
          settings={draft.settings}
          onChange={(settings) => setDraft({ ...draft, settings })}
          faults={faults}
        />
        <div className="row end sheet-foot">
          <span className="grow small soft">
            {isChanged ? "Changes count for the next events and connections." : "Nothing changed yet."}
          </span>
          <button type="button" onClick={leave}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={isSaved} aria-disabled={action.isBusy}>
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

interface ConnectionFieldsProps {
  readonly settings: RawSettings;
  readonly onChange: (settings: RawSettings) => void;
  readonly faults: readonly SettingFault[];
}

/** What counts for the hub's connections. */
function ConnectionFields({ settings, onChange, faults }: ConnectionFieldsProps) {
  return (
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
              value={textAt(settings, ["anonymousConnectPolicy"])}
              onChange={({ target }) => onChange({ ...settings, anonymousConnectPolicy: target.value })}
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
              value={textAt(settings, ["webSocketKeepAliveIntervalInSeconds"])}
              onChange={({ target }) =>
                onChange({ ...settings, webSocketKeepAliveIntervalInSeconds: numberOrText(target.value) })
              }
            />
          )}
        </Field>
      </div>
      <ListField
        label="Allowed origins"
        hint="Web pages that may connect: * for all, or origins such as https://app.example.com, one in each line. Empty: none."
        fault={faultAt(faults, "allowedOrigins")}
        values={textsAt(settings, ["allowedOrigins"])}
        onChange={(values) => onChange({ ...settings, allowedOrigins: values })}
      />
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
