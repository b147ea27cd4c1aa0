import { useState } from "react";
import { admin, type Hub } from "../../api/admin.ts";
import { useStatus } from "../../app/status.tsx";
import { useSay } from "../../app/toasts.tsx";
import { useAction } from "../../app/use-action.ts";
import { useLoad } from "../../app/use-load.ts";
import { Confirm } from "../../parts/dialog.tsx";
import { LoadState } from "../../parts/load-state.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { isDefault, removedHubs, titleOf } from "./hub-draft.ts";
import { HubEditor } from "./hub-editor.tsx";
import { HubLists, type Question } from "./hub-lists.tsx";
import "./settings.css";

/** The settings of hubs. */
export function Settings() {
  const status = useStatus();
  const hubs = useLoad("hubs", () => admin.hubs());
  const say = useSay();
  const action = useAction();
  const [edited, setEdited] = useState<{ readonly hub: Hub | string | null } | null>(null);
  const [question, setQuestion] = useState<Question | null>(null);
  const list = hubs.value ?? [];
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
  return (
    <>
      <PageHead title="Settings" actions={add}>
        What a hub does with events and connections. A hub works without settings too: clients with a token can connect
        to any name.
      </PageHead>
      <LoadState what="the hubs" loaded={hubs} />
      {hubs.value !== null && (
        <HubLists
          hubs={list}
          removed={removedHubs(status.value?.configuration.overlay.settings ?? [], list)}
          onEdit={(hub) => setEdited({ hub })}
          onAsk={setQuestion}
        />
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

function consequence({ what, name, hub }: Question): string {
  if (what === "restore")
    return "The settings of the configuration count again, for the next events and connections. What was changed here is lost.";
  const fallback = isDefault(name)
    ? "Hubs without settings of their own have the built-in ones again: no event handlers, anonymous clients denied."
    : "The hub stays, with the settings of every other hub (*). Clients stay connected; their next events go where those settings say.";
  const canReturn = hub?.source === "configuration" || hub?.isOverridden === true;
  return canReturn ? `${fallback} The configuration's own settings can be restored here.` : fallback;
}
