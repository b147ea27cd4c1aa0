import { useState } from "react";
import type { NetworkRules, RequestTypeRules } from "../../api/admin.ts";
import { faultAt, type SettingFault } from "../../parts/faults.ts";
import {
  type Access,
  type Choice,
  choiceOf,
  privateAccess,
  publicAccess,
  requestTitles,
  requestTypes,
  withChoice,
} from "./network-rules.ts";

interface RequestRulesProps {
  readonly rules: NetworkRules;
  readonly onChange: (part: Partial<NetworkRules>) => void;
  readonly faults: readonly SettingFault[];
}

/** What kinds of request are let through, for the public network and for each named listener. */
export function RequestRules({ rules, onChange, faults }: RequestRulesProps) {
  const [name, setName] = useState("");
  const { privateEndpoints } = rules;
  const isNew = name.trim() !== "" && !privateEndpoints.some((endpoint) => endpoint.name === name.trim());
  return (
    <div className="stack">
      <NetworkTable
        title="Public network"
        rules={rules.publicNetwork}
        accessOf={(type) => publicAccess(rules, type)}
        onChange={(publicNetwork) => onChange({ publicNetwork })}
      />
      {privateEndpoints.map((endpoint, index) => (
        <NetworkTable
          key={endpoint.name}
          title={`Private endpoint ${endpoint.name}`}
          rules={endpoint}
          accessOf={(type) => privateAccess(rules, endpoint, type)}
          fault={faultAt(faults, `privateEndpoints[${index}]`)}
          onChange={(changed) =>
            onChange({ privateEndpoints: privateEndpoints.with(index, { ...endpoint, ...changed }) })
          }
          onRemove={() => onChange({ privateEndpoints: privateEndpoints.toSpliced(index, 1) })}
        />
      ))}
      <form
        className="row add-line"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isNew) return;
          onChange({
            privateEndpoints: [...privateEndpoints, { name: name.trim(), allow: [...requestTypes], deny: [] }],
          });
          setName("");
        }}
      >
        <input
          aria-label="Name of a listener"
          placeholder="Name of a listener"
          autoComplete="off"
          spellCheck={false}
          value={name}
          onChange={({ target }) => setName(target.value)}
        />
        <button type="submit" disabled={!isNew}>
          Add private endpoint
        </button>
      </form>
      <p className="small soft">
        A private endpoint is a listener with a name (<code>service.listen[].name</code>). Its own rules count there,
        and neither the IP rules nor public network access do.
      </p>
    </div>
  );
}

interface NetworkTableProps {
  readonly title: string;
  readonly rules: RequestTypeRules;
  readonly accessOf: (type: (typeof requestTypes)[number]) => Access;
  readonly fault?: string | null;
  readonly onChange: (rules: RequestTypeRules) => void;
  readonly onRemove?: () => void;
}

const choices: readonly (readonly [Choice, string])[] = [
  ["none", "Not listed"],
  ["allow", "Allow"],
  ["deny", "Deny"],
];
const accessBadges: Readonly<Record<Access, readonly [string, string]>> = {
  everyone: ["good", "Let through"],
  someAddresses: ["warn", "Depends on the address"],
  nobody: ["alarm", "Refused"],
};

function NetworkTable({ title, rules, accessOf, fault = null, onChange, onRemove }: NetworkTableProps) {
  return (
    <section className="network stack" aria-label={title}>
      <header className="row">
        <h3 className="grow">{title}</h3>
        {onRemove !== undefined && (
          <button
            type="button"
            className="quiet danger"
            aria-label={`Remove ${title.toLowerCase()}`}
            onClick={onRemove}
          >
            Remove
          </button>
        )}
      </header>
      {fault !== null && <p className="fault">{fault}</p>}
      <ul>
        {requestTypes.map((type) => {
          const [kind, words] = accessBadges[accessOf(type)];
          const label = requestTitles[type];
          return (
            <li key={type} className="rule-line">
              <span className="grow">{label}</span>
              <select
                aria-label={`${title}: ${label}`}
                value={choiceOf(rules, type)}
                onChange={({ target }) =>
                  onChange(withChoice(rules, type, choices.find(([value]) => value === target.value)?.[0] ?? "none"))
                }
              >
                {choices.map(([value, text]) => (
                  <option key={value} value={value}>
                    {text}
                  </option>
                ))}
              </select>
              <span className="result">
                <span className={`badge ${kind}`}>{words}</span>
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
