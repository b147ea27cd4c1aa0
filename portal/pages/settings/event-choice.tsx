import { useId, useState } from "react";
import { faultAt, type SettingFault } from "../../parts/faults.ts";
import { Check, Field } from "../../parts/field.tsx";
import { type UserEvents, userEventsOf } from "./hub-draft.ts";
import { type RawSettings, textAt, textsAt } from "./raw-settings.ts";

interface EventChoiceProps {
  /** System events that can be chosen. */
  readonly systemEvents: readonly string[];
  /** What has `systemEvents` and `userEventPattern`. */
  readonly settings: RawSettings;
  readonly onChange: (settings: RawSettings) => void;
  readonly faults: readonly SettingFault[];
  /** Path of `settings` in the faults. */
  readonly root: string;
}

const userEventTitles: readonly (readonly [UserEvents, string])[] = [
  ["none", "None"],
  ["all", "All"],
  ["some", "Specify"],
];

/** Which events a handler or listener gets. */
export function EventChoice({ systemEvents, settings, onChange, faults, root }: EventChoiceProps) {
  const pattern = textAt(settings, ["userEventPattern"]);
  const [choice, setChoice] = useState(() => userEventsOf(pattern));
  const name = useId();
  const choose = (next: UserEvents): void => {
    setChoice(next);
    onChange({ ...settings, userEventPattern: next === "all" ? "*" : "" });
  };
  return (
    <>
      <fieldset>
        <legend>User events</legend>
        <div className="row">
          {userEventTitles.map(([value, title]) => (
            <label key={value} className="check">
              <input type="radio" name={name} checked={choice === value} onChange={() => choose(value)} />
              {title}
            </label>
          ))}
        </div>
      </fieldset>
      {choice === "some" && (
        <Field
          label="Names of user events"
          hint="Separated by commas."
          fault={faultAt(faults, `${root}.userEventPattern`)}
        >
          {(ids) => (
            <input
              {...ids}
              autoComplete="off"
              spellCheck={false}
              placeholder="message, typing"
              value={pattern}
              onChange={({ target }) => onChange({ ...settings, userEventPattern: target.value })}
            />
          )}
        </Field>
      )}
      <CheckList
        legend="System events"
        names={systemEvents}
        chosen={textsAt(settings, ["systemEvents"])}
        onChange={(chosen) => onChange({ ...settings, systemEvents: chosen })}
      />
    </>
  );
}

interface CheckListProps {
  readonly legend: string;
  readonly names: readonly string[];
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
}

/** Some of a few names. */
export function CheckList({ legend, names, chosen, onChange }: CheckListProps) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      <div className="row">
        {names.map((name) => (
          <Check
            key={name}
            label={name}
            isChecked={chosen.includes(name)}
            onChange={(isChecked) =>
              onChange(names.filter((each) => (each === name ? isChecked : chosen.includes(each))))
            }
          />
        ))}
      </div>
    </fieldset>
  );
}
