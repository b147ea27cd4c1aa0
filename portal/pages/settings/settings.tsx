import { useState } from "react";
import { admin, type Hub } from "../../api/admin.ts";
import { useStatus } from "../../app/status.tsx";
import { useSay } from "../../app/toasts.tsx";
import { useAction } from "../../app/use-action.ts";
import { useLoad } from "../../app/use-load.ts";
import { Confirm } from "../../parts/dialog.tsx";
import { counted } from "../../parts/format.ts";
import { Empty, Notice } from "../../parts/notice.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { defaultHub, removedHubs } from "./hub-draft.ts";
import { HubEditor, titleOf } from "./hub-editor.tsx";
import { groupsAt, textAt } from "./raw-settings.ts";
import "./settings.css";

type Question = { readonly what: "delete" | "restore"; readonly name: string; readonly hub: Hub | null };

/** The settings of hubs. */
export function Settings() {
  const status = useStatus();
  const hubs = useLoad("hubs", () => admin.hubs());
  const say = useSay();
  const action = useAction();
  const [edited, setEdited] = useState<{ readonly hub: Hub | string | null } | null>(null);
  const [question, setQuestion] = useState<Question | null>(null);
  const refresh = (): void => {
    hubs.reload();
    status.reload();
  };
  const answer = ({ what, name }: Question): void => {
    setQuestion(null);
    action.run(async () => {
      await (what === "delete" ? admin.deleteHub(name) : admin.restoreHub(name));
      say(what === "delete" ? `Deleted the settings of ${titleOf(name)}` : `Restored ${titleOf(name)}`);
      refresh();
    });
  };
  const add = (
    <button type="button" className="primary" disabled={hubs.value === null} onClick={() => setEdited({ hub: null })}>
      Add hub
    </button>
  );
  const list = hubs.value ?? [];
  const named = list.filter(({ name }) => !isDefault(name));
  const removed = removedHubs(status.value?.configuration.overlay.settings ?? [], list);
  const other = list.find(({ name }) => isDefault(name));
  return (
    <>
      <PageHead title="Settings" actions={add}>
        What a hub does with events and connections. A hub works without settings too: clients with a token can connect
        to any name.
      </PageHead>
      {hubs.error !== null && (
        <Notice
          kind="alarm"
          actions={
            <button type="button" onClick={hubs.reload}>
              Try again
            </button>
          }
        >
          The settings cannot be shown. {hubs.error}
        </Notice>
      )}
      {hubs.value === null && hubs.error === null && <p className="soft">Loading the hubs …</p>}
      {hubs.value !== null && (
        <section className="card" aria-label="Hubs">
          <h2>Hubs</h2>
          {named.length === 0 && (
            <Empty title="No hub has settings of its own" action={null}>
              Add a hub to send its events to your web server, or to let anonymous clients in.
            </Empty>
          )}
          <ul className="hubs">
            {named.map((hub) => (
              <HubRow
                key={hub.name}
                hub={hub}
                onEdit={() => setEdited({ hub })}
                onAsk={(what) => setQuestion({ what, name: hub.name, hub })}
              />
            ))}
            {removed
              .filter((name) => !isDefault(name))
              .map((name) => (
                <li key={name} className="hub">
                  <div className="grow stack">
                    <div className="row">
                      <strong>{name}</strong>
                      <span className="badge warn">Deleted here</span>
                    </div>
                    <p className="small soft">The configuration has settings for it, which have no effect.</p>
                  </div>
                  <button
                    type="button"
                    aria-label={`Restore ${name}`}
                    onClick={() => setQuestion({ what: "restore", name, hub: null })}
                  >
                    Restore
                  </button>
                </li>
              ))}
          </ul>
        </section>
      )}
      {hubs.value !== null && (
        <section className="card" aria-label="Every other hub">
          <header>
            <h2>
              Every other hub (<code>*</code>)
            </h2>
          </header>
          <p className="soft">For hubs that are not in the list above. A hub in the list takes nothing from here.</p>
          <ul className="hubs">
            {other === undefined ? (
              <li className="hub">
                <div className="grow stack">
                  <div className="row">
                    <strong>Built-in settings</strong>
                    {removed.some(isDefault) && <span className="badge warn">Deleted here</span>}
                  </div>
                  <p className="small soft">No event handlers, anonymous clients denied, keep-alive 20 s.</p>
                </div>
                {removed.some(isDefault) && (
                  <button
                    type="button"
                    aria-label="Restore every other hub"
                    onClick={() => setQuestion({ what: "restore", name: defaultHub, hub: null })}
                  >
                    Restore
                  </button>
                )}
                <button type="button" aria-label="Edit every other hub" onClick={() => setEdited({ hub: defaultHub })}>
                  Edit
                </button>
              </li>
            ) : (
              <HubRow
                hub={other}
                onEdit={() => setEdited({ hub: other })}
                onAsk={(what) => setQuestion({ what, name: other.name, hub: other })}
              />
            )}
          </ul>
        </section>
      )}
      {edited !== null && (
        <HubEditor
          hub={edited.hub}
          hubs={list}
          onClose={() => setEdited(null)}
          onSaved={() => {
            setEdited(null);
            refresh();
          }}
        />
      )}
      {question !== null && (
        <Confirm
          title={
            question.what === "delete"
              ? `Delete the settings of ${titleOf(question.name)}?`
              : `Restore ${titleOf(question.name)}?`
          }
          action={question.what === "delete" ? "Delete" : "Restore"}
          onClose={() => setQuestion(null)}
          onConfirm={() => answer(question)}
        >
          <p>{consequence(question)}</p>
        </Confirm>
      )}
    </>
  );
}

const isDefault = (name: string): boolean => name === defaultHub || name === "_default";

function consequence({ what, name, hub }: Question): string {
  if (what === "restore")
    return "The settings of the configuration count again, for the next events and connections. What was changed here is lost.";
  const fallback = isDefault(name)
    ? "Hubs without settings of their own have the built-in ones again: no event handlers, anonymous clients denied."
    : "The hub stays, with the settings of every other hub (*). Clients stay connected; their next events go where those settings say.";
  const canReturn = hub?.source === "configuration" || hub?.isOverridden === true;
  return canReturn ? `${fallback} The configuration's own settings can be restored here.` : fallback;
}

interface HubRowProps {
  readonly hub: Hub;
  readonly onEdit: () => void;
  readonly onAsk: (what: Question["what"]) => void;
}

function HubRow({ hub, onEdit, onAsk }: HubRowProps) {
  const { name, properties } = hub;
  const handlers = groupsAt(properties, ["eventHandlers"]);
  const title = titleOf(name);
  const facts = [
    counted(handlers.length, "event handler"),
    counted(groupsAt(properties, ["eventListeners"]).length, "event listener"),
    properties.anonymousConnectPolicy === "allow" ? "anonymous clients allowed" : "anonymous clients denied",
    `keep-alive ${properties.webSocketKeepAliveIntervalInSeconds ?? 20} s`,
  ];
  return (
    <li className="hub">
      <div className="grow stack">
        <div className="row">
          <strong>{isDefault(name) ? "Own settings" : name}</strong>
          {hub.source === "overlay" ? (
            <span className="badge accent">Set here</span>
          ) : (
            <span className="badge">From the configuration</span>
          )}
          {properties.anonymousConnectPolicy === "allow" && <span className="badge warn">Anonymous</span>}
        </div>
        <p className="small soft">{facts.join(" · ")}</p>
        {handlers.length > 0 && (
          <ol className="small">
            {handlers.map((handler, index) => (
              <li key={`${index} ${textAt(handler, ["urlTemplate"])}`}>
                <code>{textAt(handler, ["urlTemplate"])}</code>
              </li>
            ))}
          </ol>
        )}
      </div>
      <div className="row">
        {hub.isOverridden === true && (
          <button type="button" aria-label={`Restore ${title}`} onClick={() => onAsk("restore")}>
            Restore
          </button>
        )}
        <button type="button" aria-label={`Edit ${title}`} onClick={onEdit}>
          Edit
        </button>
        <button type="button" className="danger" aria-label={`Delete ${title}`} onClick={() => onAsk("delete")}>
          Delete
        </button>
      </div>
    </li>
  );
}
