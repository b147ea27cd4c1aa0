import { useId } from "react";
import { admin } from "../../api/admin.ts";
import { useStatus } from "../../app/status.tsx";
import { useLoad } from "../../app/use-load.ts";
import { Check, Field } from "../../parts/field.tsx";
import { type ClientAccessForm, hubSuggestions, protocols } from "./client-access.ts";

interface FormProps {
  readonly form: ClientAccessForm;
  readonly onChange: (part: Partial<ClientAccessForm>) => void;
}

/** Who connects, to which hub, how long and how. */
export function ClientFields({ form, endpoints, onChange }: FormProps & { readonly endpoints: readonly string[] }) {
  return (
    <div className="grid">
      <HubField form={form} onChange={onChange} />
      <Field label="User ID" hint="Empty: a client without a user.">
        {(ids) => (
          <input
            {...ids}
            autoComplete="off"
            spellCheck={false}
            value={form.userId}
            onChange={({ target }) => onChange({ userId: target.value })}
          />
        )}
      </Field>
      <Field label="Lifetime in minutes" hint="Until when a client can connect with it.">
        {(ids) => (
          <input
            {...ids}
            type="number"
            required
            min={1}
            max={2_147_483_647}
            value={form.minutes}
            onChange={({ target }) => onChange({ minutes: target.value })}
          />
        )}
      </Field>
      <Field label="Sub-protocol" hint="The URL is the same for all; the client names it when it connects.">
        {(ids) => (
          <select {...ids} value={form.protocol} onChange={({ target }) => onChange({ protocol: target.value })}>
            {protocols.map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Endpoint" hint={form.endpoint.startsWith("https:") ? "Encrypted (wss)." : "Not encrypted (ws)."}>
        {(ids) => (
          <select {...ids} value={form.endpoint} onChange={({ target }) => onChange({ endpoint: target.value })}>
            {endpoints.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        )}
      </Field>
    </div>
  );
}

/** The hub, with those that are configured or in use as suggestions; any other name will do too. */
function HubField({ form, onChange }: FormProps) {
  const status = useStatus();
  const hubs = useLoad("hubs", () => admin.hubs());
  const listId = useId();
  const configured = (hubs.value ?? []).map(({ name }) => name);
  const inUse = Object.keys(status.value?.connections.hubs ?? {});
  return (
    <Field label="Hub" hint="Any name; it needs no settings of its own.">
      {(ids) => (
        <>
          <input
            {...ids}
            required
            list={listId}
            autoComplete="off"
            spellCheck={false}
            value={form.hub}
            onChange={({ target }) => onChange({ hub: target.value })}
          />
          <datalist id={listId}>
            {hubSuggestions(configured, inUse).map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

/** What the client may do with groups. */
export function RightsFields({ form, onChange }: FormProps) {
  return (
    <div className="grid">
      <fieldset className="stack">
        <legend>Groups</legend>
        <GroupsField
          label="Join these groups at once"
          value={form.groups}
          onChange={(groups) => onChange({ groups })}
          hint="One in each line. Needs no role."
        />
      </fieldset>
      <fieldset className="stack">
        <legend>Roles: send to groups</legend>
        <Check
          label="Send to any group"
          isChecked={form.sendsToAnyGroup}
          onChange={(sendsToAnyGroup) => onChange({ sendsToAnyGroup })}
        />
        {!form.sendsToAnyGroup && (
          <GroupsField
            label="Send to these groups"
            value={form.sendsToGroups}
            onChange={(sendsToGroups) => onChange({ sendsToGroups })}
            hint="One in each line; empty for none."
          />
        )}
      </fieldset>
      <fieldset className="stack">
        <legend>Roles: join and leave groups</legend>
        <Check
          label="Join and leave any group"
          isChecked={form.joinsAnyGroup}
          onChange={(joinsAnyGroup) => onChange({ joinsAnyGroup })}
        />
        {!form.joinsAnyGroup && (
          <GroupsField
            label="Join and leave these groups"
            value={form.joinsGroups}
            onChange={(joinsGroups) => onChange({ joinsGroups })}
            hint="One in each line; empty for none."
          />
        )}
      </fieldset>
    </div>
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
