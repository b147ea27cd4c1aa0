import type { ReactNode } from "react";
import type { Hub } from "../../api/admin.ts";
import { counted } from "../../parts/format.ts";
import { Empty } from "../../parts/notice.tsx";
import { defaultHub, isDefault, titleOf } from "./hub-draft.ts";
import { groupsAt, textAt } from "./raw-settings.ts";

/** Something to be asked before it is done to the settings of a hub. */
export interface Question {
  readonly what: "delete" | "restore";
  readonly name: string;
  /** Null: they were deleted here. */
  readonly hub: Hub | null;
}

interface HubListsProps {
  readonly hubs: readonly Hub[];
  /** Names of hubs whose configured settings were deleted here. */
  readonly removed: readonly string[];
  readonly onEdit: (hub: Hub | string) => void;
  readonly onAsk: (question: Question) => void;
}

/** The hubs with settings of their own, and the entry for all others. */
export function HubLists({ hubs, removed, onEdit, onAsk }: HubListsProps) {
  const named = hubs.filter(({ name }) => !isDefault(name));
  const other = hubs.find(({ name }) => isDefault(name));
  const gone = removed.filter((name) => !isDefault(name));
  const row = (hub: Hub): ReactNode => (
    <HubRow
      key={hub.name}
      hub={hub}
      onEdit={() => onEdit(hub)}
      onAsk={(what) => onAsk({ what, name: hub.name, hub })}
    />
  );
  const restore = (name: string): ReactNode => (
    <button
      type="button"
      aria-label={`Restore ${titleOf(name)}`}
      onClick={() => onAsk({ what: "restore", name, hub: null })}
    >
      Restore
    </button>
  );
  return (
    <>
      <section className="card" aria-label="Hubs">
        <h2>Hubs</h2>
        {named.length + gone.length === 0 && (
          <Empty title="No hub has settings of its own">
            Add a hub to send its events to your web server, or to let anonymous clients in.
          </Empty>
        )}
        <ul className="hubs">
          {named.map(row)}
          {gone.map((name) => (
            <li key={name} className="hub">
              <HubSummary name={name} badge={<span className="badge warn">Deleted here</span>}>
                The configuration has settings for it, which have no effect.
              </HubSummary>
              {restore(name)}
            </li>
          ))}
        </ul>
      </section>
      <section className="card" aria-label="Every other hub">
        <h2>
          Every other hub (<code>*</code>)
        </h2>
        <p className="soft">For hubs that are not in the list above. A hub in that list takes nothing from here.</p>
        <ul className="hubs">
          {other === undefined ? (
            <li className="hub">
              <HubSummary
                name="Built-in settings"
                badge={removed.some(isDefault) && <span className="badge warn">Deleted here</span>}
              >
                No event handlers · anonymous clients denied · keep-alive 20 s
              </HubSummary>
              <div className="row">
                {removed.some(isDefault) && restore(defaultHub)}
                <button type="button" aria-label={`Edit ${titleOf(defaultHub)}`} onClick={() => onEdit(defaultHub)}>
                  Edit
                </button>
              </div>
            </li>
          ) : (
            row(other)
          )}
        </ul>
      </section>
    </>
  );
}

interface HubRowProps {
  readonly hub: Hub;
  readonly onEdit: () => void;
  readonly onAsk: (what: Question["what"]) => void;
}

function HubRow({ hub, onEdit, onAsk }: HubRowProps) {
  const { name, properties, source, isOverridden } = hub;
  const title = titleOf(name);
  const handlers = groupsAt(properties, ["eventHandlers"]).map((handler) => textAt(handler, ["urlTemplate"]));
  const facts = [
    counted(handlers.length, "event handler"),
    counted(groupsAt(properties, ["eventListeners"]).length, "event listener"),
    `anonymous clients ${properties.anonymousConnectPolicy === "allow" ? "allowed" : "denied"}`,
    `keep-alive ${properties.webSocketKeepAliveIntervalInSeconds ?? 20} s`,
  ];
  return (
    <li className="hub">
      <HubSummary
        name={isDefault(name) ? "Settings of its own" : name}
        badge={
          source === "overlay" ? (
            <span className="badge accent">Set here</span>
          ) : (
            <span className="badge">From the configuration</span>
          )
        }
        urls={handlers}
      >
        {facts.join(" · ")}
      </HubSummary>
      <div className="row">
        {isOverridden && (
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

interface HubSummaryProps {
  readonly name: string;
  readonly badge: ReactNode;
  /** Where its events go. */
  readonly urls?: readonly string[];
  readonly children: ReactNode;
}

function HubSummary({ name, badge, urls = [], children }: HubSummaryProps) {
  return (
    <div className="grow stack">
      <div className="row">
        <strong>{name}</strong>
        {badge}
      </div>
      <p className="small soft">{children}</p>
      {urls.length > 0 && (
        <ol className="small">
          {urls.map((url, index) => (
            <li key={`${index} ${url}`}>
              <code>{url}</code>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
