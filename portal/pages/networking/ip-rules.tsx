import type { NetworkRules } from "../../api/admin.ts";
import { faultAt, type SettingFault } from "../../parts/faults.ts";

interface IpRulesProps {
  readonly rules: NetworkRules["ipRules"];
  readonly onChange: (rules: NetworkRules["ipRules"]) => void;
  readonly faults: readonly SettingFault[];
}

/** Rules by address, in order. */
export function IpRules({ rules, onChange, faults }: IpRulesProps) {
  const listFault = faults.find(({ target }) => target === "ipRules")?.message ?? null;
  return (
    <section className="card" aria-label="IP rules">
      <header>
        <h2>IP rules</h2>
        <span className="actions">
          <button type="button" onClick={() => onChange([...rules, { value: "", action: "Allow" }])}>
            Add IP rule
          </button>
        </span>
      </header>
      <p className="soft">
        For the public network. The first rule that fits an address decides; one that fits none meets the default
        action.
      </p>
      {rules.length === 0 && <p className="soft">There are no IP rules: every address is treated alike.</p>}
      <ol className="stack">
        {rules.map((rule, index) => {
          const fault = faultAt(faults, `ipRules[${index}]`);
          const set = (part: Partial<typeof rule>): void => onChange(rules.with(index, { ...rule, ...part }));
          return (
            // Rows have nothing of their own but what they show, so their place is their identity.
            <li key={index} className="stack">
              <div className="ip-rule">
                <input
                  aria-label={`IP rule ${index + 1}: address or range`}
                  aria-invalid={fault !== null}
                  aria-describedby={`ip-rule-${index}`}
                  placeholder="203.0.113.0/24"
                  autoComplete="off"
                  spellCheck={false}
                  value={rule.value}
                  onChange={({ target }) => set({ value: target.value.trim() })}
                />
                <select
                  aria-label={`IP rule ${index + 1}: action`}
                  value={rule.action}
                  onChange={({ target }) => set({ action: target.value })}
                >
                  <option>Allow</option>
                  <option>Deny</option>
                </select>
                <button
                  type="button"
                  className="quiet danger"
                  aria-label={`Remove IP rule ${index + 1}`}
                  onClick={() => onChange(rules.toSpliced(index, 1))}
                >
                  Remove
                </button>
              </div>
              <span id={`ip-rule-${index}`} className="fault small">
                {fault}
              </span>
            </li>
          );
        })}
      </ol>
      {listFault !== null && <p className="fault">{listFault}</p>}
    </section>
  );
}
