import { faultAt, type SettingFault } from "../../parts/faults.ts";
import { Field } from "../../parts/field.tsx";
import { CheckList, EventChoice } from "./event-choice.tsx";
import { HandlerTestButton } from "./handler-test.tsx";
import { isRawSettings, type RawSettings, textAt, textsAt, valueAt, withValue } from "./raw-settings.ts";
import { AuthFields, ListField } from "./setting-fields.tsx";

interface HandlerEditorProps {
  readonly hub: string;
  readonly settings: RawSettings;
  readonly onChange: (settings: RawSettings) => void;
  readonly faults: readonly SettingFault[];
  readonly root: string;
}

const systemEvents = ["connect", "connected", "disconnected"];
const presenceEvents = ["joined", "left"];

/** Paths of a handler whose faults its fields show. */
export const handlerFieldPaths: readonly string[] = [
  "urlTemplate",
  "whenNoTunnel",
  "userEventPattern",
  "auth.type",
  "auth.managedIdentity.resource",
  "auth.token",
  "auth.tokenUrl",
  "auth.clientId",
  "auth.clientSecret",
  "auth.privateKey",
  "auth.scope",
  "auth.audience",
  "groupPresenceEvents.groupFilters",
];

/** The settings of one event handler, and a test of it. */
export function HandlerEditor({ hub, settings, onChange, faults, root }: HandlerEditorProps) {
  const urlTemplate = textAt(settings, ["urlTemplate"]);
  const auth = valueAt(settings, ["auth"]);
  const presence = textsAt(settings, ["groupPresenceEvents", "eventNames"]);
  return (
    <>
      <Field
        label="URL template"
        hint={
          <>
            <code>{"{event}"}</code> and <code>{"{hub}"}</code> are replaced in path and query. Begin with{" "}
            <code>tunnel:///</code> for an application that opens a tunnel, such as <code>awps-tunnel</code>.
          </>
        }
        fault={faultAt(faults, `${root}.urlTemplate`)}
      >
        {(ids) => (
          <input
            {...ids}
            type="text"
            inputMode="url"
            autoComplete="off"
            spellCheck={false}
            placeholder="https://example.com/eventhandler/{event}"
            value={urlTemplate}
            onChange={({ target }) => onChange({ ...settings, urlTemplate: target.value.trim() })}
          />
        )}
      </Field>
      {urlTemplate.toLowerCase().startsWith("tunnel:") && (
        <Field
          label="While there is no tunnel"
          hint="fail: its events fail. next: they go to the next handler. Or the URL they go to."
          fault={faultAt(faults, `${root}.whenNoTunnel`)}
        >
          {(ids) => (
            <input
              {...ids}
              autoComplete="off"
              spellCheck={false}
              placeholder="fail"
              value={textAt(settings, ["whenNoTunnel"])}
              onChange={({ target }) =>
                onChange(withValue(settings, ["whenNoTunnel"], target.value.trim() || undefined))
              }
            />
          )}
        </Field>
      )}
      <EventChoice systemEvents={systemEvents} settings={settings} onChange={onChange} faults={faults} root={root} />
      <AuthFields
        settings={isRawSettings(auth) ? auth : {}}
        onChange={(changed) => onChange({ ...settings, auth: changed })}
        faults={faults}
        root={`${root}.auth`}
      />
      <CheckList
        legend="Changes of group membership"
        names={presenceEvents}
        chosen={presence}
        onChange={(chosen) =>
          onChange(
            chosen.length === 0
              ? withValue(settings, ["groupPresenceEvents"], undefined)
              : withValue(settings, ["groupPresenceEvents", "eventNames"], chosen),
          )
        }
      />
      {presence.length > 0 && (
        <ListField
          label="Of these groups only"
          hint="Patterns such as room-*, one in each line; empty for all groups."
          fault={faultAt(faults, `${root}.groupPresenceEvents.groupFilters`)}
          values={textsAt(settings, ["groupPresenceEvents", "groupFilters"])}
          onChange={(values) => onChange(withValue(settings, ["groupPresenceEvents", "groupFilters"], values))}
        />
      )}
      <HandlerTestButton hub={hub} settings={settings} />
    </>
  );
}
