import type { ReactNode } from "react";
import {
  type EntryList,
  type HubDraft,
  withEntryMovedUp,
  withEntrySettings,
  withNewEntry,
  withoutEntry,
} from "./hub-draft.ts";
import type { RawSettings } from "./raw-settings.ts";

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
export function Entries({ draft, list, title, one, about, onChange, children }: EntriesProps) {
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
