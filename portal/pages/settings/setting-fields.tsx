import { useState } from "react";
import { faultAt, type SettingFault } from "../../parts/faults.ts";
import { Check, Field } from "../../parts/field.tsx";
import { linesOf } from "../../parts/lines.ts";
import { authFields, fileSettings, maskedSecret, type SettingField } from "./endpoint-fields.ts";
import { type RawSettings, textAt, textsAt, valueAt, withValue } from "./raw-settings.ts";

interface SettingFieldsProps {
  readonly fields: readonly SettingField[];
  readonly settings: RawSettings;
  readonly onChange: (settings: RawSettings) => void;
  readonly faults: readonly SettingFault[];
  /** Path of `settings` in the faults. */
  readonly root: string;
}

/** A form of settings, made from what is known of them. */
export function SettingFields({ fields, settings, onChange, faults, root }: SettingFieldsProps) {
  const files = fileSettings(settings);
  return (
    <>
      {fields
        .filter(({ needs }) => needs === undefined || valueAt(settings, needs) !== undefined)
        .map((field) => (
          <OneField
            key={field.path.join(".")}
            field={field}
            settings={settings}
            onChange={onChange}
            fault={faultAt(faults, `${root}.${field.path.join(".")}`)}
          />
        ))}
      {files.length > 0 && (
        <p className="small soft">
          From the configuration, and changed there only: <code>{files.join(", ")}</code>
        </p>
      )}
    </>
  );
}

interface OneFieldProps {
  readonly field: SettingField;
  readonly settings: RawSettings;
  readonly onChange: (settings: RawSettings) => void;
  readonly fault: string | null;
}

function OneField({ field, settings, onChange, fault }: OneFieldProps) {
  const { path, label, kind, hint, placeholder, choices = [], unchosen, removes = path } = field;
  const text = textAt(settings, path);
  const set = (value: unknown): void => onChange(withValue(settings, path, value === "" ? undefined : value));
  if (kind === "flag") {
    return (
      <Check
        label={label}
        isChecked={valueAt(settings, path) === true}
        onChange={(isChecked) => set(isChecked ? true : undefined)}
      />
    );
  }
  if (kind === "list") {
    return (
      <ListField
        label={label}
        hint={hint}
        placeholder={placeholder}
        fault={fault}
        values={textsAt(settings, path)}
        onChange={(values) => set(values.length === 0 ? undefined : values)}
      />
    );
  }
  const isKept = text === maskedSecret;
  return (
    <Field label={label} hint={isKept ? "Stays as it is; type to replace it." : hint} fault={fault}>
      {(ids) => {
        switch (kind) {
          case "choice":
            return (
              <select
                {...ids}
                value={text}
                onChange={({ target }) =>
                  target.value === "" ? onChange(withValue(settings, removes, undefined)) : set(target.value)
                }
              >
                <option value="">{unchosen}</option>
                {choices.map((choice) => (
                  <option key={choice}>{choice}</option>
                ))}
              </select>
            );
          case "secrets":
            return <textarea {...ids} spellCheck={false} value={text} onChange={({ target }) => set(target.value)} />;
          case "secret":
          case "text":
            return (
              <input
                {...ids}
                type={kind === "secret" ? "password" : "text"}
                autoComplete={kind === "secret" ? "new-password" : "off"}
                spellCheck={false}
                placeholder={placeholder}
                value={text}
                onFocus={({ target }) => isKept && target.select()}
                onChange={({ target }) => set(target.value)}
              />
            );
        }
      }}
    </Field>
  );
}

interface ListFieldProps {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly placeholder?: string | undefined;
  readonly fault: string | null;
  readonly values: readonly string[];
  readonly onChange: (values: readonly string[]) => void;
}

/** A list of texts, one in each line. */
export function ListField({ label, hint, placeholder, fault, values, onChange }: ListFieldProps) {
  // As typed: an empty line is the beginning of the next entry.
  const [text, setText] = useState(() => values.join("\n"));
  return (
    <Field label={label} hint={hint} fault={fault}>
      {(ids) => (
        <textarea
          {...ids}
          className="few-lines"
          spellCheck={false}
          placeholder={placeholder}
          value={text}
          onChange={({ target }) => {
            setText(target.value);
            onChange(linesOf(target.value));
          }}
        />
      )}
    </Field>
  );
}

const authTitles: Readonly<Record<string, string>> = {
  None: "None (signature only)",
  ManagedIdentity: "Managed identity",
  Bearer: "Bearer token",
  ClientCredentials: "OAuth 2 client credentials",
};

/** How requests to one URL authenticate. */
export function AuthFields({ settings, onChange, faults, root }: Omit<SettingFieldsProps, "fields">) {
  const type = textAt(settings, ["type"]) || "None";
  return (
    <>
      <Field label="Authentication" fault={faultAt(faults, `${root}.type`)}>
        {(ids) => (
          <select {...ids} value={type} onChange={({ target }) => onChange({ type: target.value })}>
            {Object.keys(authFields).map((each) => (
              <option key={each} value={each}>
                {authTitles[each]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <SettingFields
        fields={authFields[type] ?? []}
        settings={settings}
        onChange={onChange}
        faults={faults}
        root={root}
      />
    </>
  );
}
