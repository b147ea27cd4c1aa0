import { faultAt, type SettingFault } from "../../parts/faults.ts";
import { Field } from "../../parts/field.tsx";
import { endpointFields, endpointTitles } from "./endpoint-fields.ts";
import { EventChoice } from "./event-choice.tsx";
import { isRawSettings, type RawSettings, textAt, valueAt } from "./raw-settings.ts";
import { AuthFields, SettingFields } from "./setting-fields.tsx";

interface ListenerEditorProps {
  readonly settings: RawSettings;
  readonly onChange: (settings: RawSettings) => void;
  readonly faults: readonly SettingFault[];
  readonly root: string;
}

const systemEvents = ["connected", "disconnected"];

/** Paths of a listener whose faults its fields show. */
export const listenerFieldPaths: readonly string[] = [
  "filter.userEventPattern",
  "endpoint.type",
  ...Object.values(endpointFields).flatMap((fields) => fields.map(({ path }) => `endpoint.${path.join(".")}`)),
  "endpoint.auth.token",
  "endpoint.auth.tokenUrl",
  "endpoint.auth.clientId",
  "endpoint.auth.clientSecret",
];

/** The settings of one event listener. */
export function ListenerEditor({ settings, onChange, faults, root }: ListenerEditorProps) {
  const filter = valueAt(settings, ["filter"]);
  const found = valueAt(settings, ["endpoint"]);
  const endpoint = isRawSettings(found) ? found : {};
  const type = textAt(endpoint, ["type"]) || "EventHub";
  const auth = valueAt(endpoint, ["auth"]);
  return (
    <>
      <Field label="Send to" fault={faultAt(faults, `${root}.endpoint.type`)}>
        {(ids) => (
          <select
            {...ids}
            value={type}
            onChange={({ target }) => onChange({ ...settings, endpoint: { type: target.value } })}
          >
            {Object.entries(endpointTitles).map(([value, title]) => (
              <option key={value} value={value}>
                {title}
              </option>
            ))}
          </select>
        )}
      </Field>
      <SettingFields
        key={type}
        fields={endpointFields[type] ?? []}
        settings={endpoint}
        onChange={(changed) => onChange({ ...settings, endpoint: changed })}
        faults={faults}
        root={`${root}.endpoint`}
      />
      {type === "HttpBatch" && (
        <AuthFields
          settings={isRawSettings(auth) ? auth : {}}
          onChange={(changed) => onChange({ ...settings, endpoint: { ...endpoint, auth: changed } })}
          faults={faults}
          root={`${root}.endpoint.auth`}
        />
      )}
      <EventChoice
        systemEvents={systemEvents}
        settings={isRawSettings(filter) ? filter : {}}
        onChange={(changed) => onChange({ ...settings, filter: changed })}
        faults={faults}
        root={`${root}.filter`}
      />
    </>
  );
}
