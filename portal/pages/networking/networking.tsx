import { useState } from "react";
import { admin, type NetworkRules } from "../../api/admin.ts";
import { ApiError } from "../../api/http.ts";
import { useStatus } from "../../app/status.tsx";
import { useSay } from "../../app/toasts.tsx";
import { useAction } from "../../app/use-action.ts";
import { type Loaded, useLoad, wordsOf } from "../../app/use-load.ts";
import { Confirm } from "../../parts/dialog.tsx";
import { faultsElsewhere, faultsOf, type SettingFault } from "../../parts/faults.ts";
import { Field } from "../../parts/field.tsx";
import { LoadState } from "../../parts/load-state.tsx";
import { Notice } from "../../parts/notice.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { SaveFailure } from "../../parts/save-failure.tsx";
import { IpRules } from "./ip-rules.tsx";
import { changesOf, lockouts } from "./network-rules.ts";
import { RequestRules } from "./request-rules.tsx";
import "./networking.css";

/** Who may reach the service over the network. */
export function Networking() {
  const rules = useLoad("networkRules", () => admin.networkRules());
  return (
    <>
      <PageHead title="Networking">
        Who may reach the endpoints of the service. Refused requests get 403 before their token is looked at. The
        console and health checks are not concerned.
      </PageHead>
      <LoadState what="the rules" loaded={rules} />
      {rules.value !== null && <RulesForm key={JSON.stringify(rules.value)} saved={rules.value} onChange={rules.set} />}
    </>
  );
}

interface RulesFormProps {
  readonly saved: NetworkRules;
  readonly onChange: Loaded<NetworkRules>["set"];
}

/** The rules while they are edited, to be saved together. */
function RulesForm({ saved, onChange }: RulesFormProps) {
  const [rules, setRules] = useState(saved);
  const [faults, setFaults] = useState<readonly SettingFault[]>([]);
  const [failure, setFailure] = useState<string | null>(null);
  const [isAsking, setAsking] = useState(false);
  const say = useSay();
  const status = useStatus();
  const action = useAction();
  const changes = changesOf(saved, rules);
  const isChanged = Object.keys(changes).length > 0;
  const losses = lockouts(saved, rules);
  const settle = (why: string | null, wrong: readonly SettingFault[]): void => {
    setFailure(why);
    setFaults(wrong);
  };
  const change = (part: Partial<NetworkRules>): void => {
    setRules({ ...rules, ...part });
    settle(null, []);
  };
  const save = (): void => {
    setAsking(false);
    settle(null, []);
    action.run(
      async () => {
        onChange(await admin.patchNetworkRules(changes));
        status.reload();
        say("The network rules are saved");
      },
      (error) => {
        const details = error instanceof ApiError ? error.details : [];
        const why = details.length === 0 ? wordsOf(error) : "Nothing was saved; some rules are not right.";
        settle(why, faultsOf(details, ["properties.networkACLs", "properties"]));
      },
    );
  };
  return (
    <>
      {saved.source === "overlay" && <SetHere onRestored={onChange} />}
      <PublicAccess value={rules.publicNetworkAccess} onChange={change} />
      <section className="card" aria-label="Access control rules">
        <h2>Access control rules</h2>
        <DefaultAction value={rules.defaultAction} onChange={change} />
        <RequestRules rules={rules} onChange={change} faults={faults} />
      </section>
      <IpRules rules={rules.ipRules} onChange={(ipRules) => change({ ipRules })} faults={faults} />
      <SaveFailure failure={failure} faults={faultsElsewhere(faults, ["ipRules", "privateEndpoints"])} />
      {losses.length > 0 && (
        <Notice kind="warn">
          <strong>This change locks out part of the public network.</strong> {losses.join(" ")}
        </Notice>
      )}
      <div className="row save-bar">
        <button
          type="button"
          className="primary"
          disabled={!isChanged}
          aria-disabled={action.isBusy}
          onClick={() => (losses.length > 0 ? setAsking(true) : save())}
        >
          Save
        </button>
        <button
          type="button"
          disabled={!isChanged}
          onClick={() => {
            setRules(saved);
            settle(null, []);
          }}
        >
          Discard
        </button>
        <span className="small soft">{isChanged ? "There are unsaved changes." : "Everything is saved."}</span>
      </div>
      {isAsking && (
        <Confirm title="Lock them out?" action="Save these rules" onClose={() => setAsking(false)} onConfirm={save}>
          <div className="stack">
            <ul className="bullets">
              {losses.map((loss) => (
                <li key={loss}>{loss}</li>
              ))}
            </ul>
            <p>
              It counts from the next request. Connections that are open stay, but cannot come back once they are
              interrupted. You can always return to this page.
            </p>
          </div>
        </Confirm>
      )}
    </>
  );
}

interface PartProps {
  readonly value: string;
  readonly onChange: (part: Partial<NetworkRules>) => void;
}

function PublicAccess({ value, onChange }: PartProps) {
  return (
    <section className="card" aria-label="Public network access">
      <h2>Public network access</h2>
      <fieldset>
        <legend className="plain">
          When it is disabled, only listeners that are named as private endpoints below let requests through.
        </legend>
        <div className="row">
          {["Enabled", "Disabled"].map((choice) => (
            <label key={choice} className="check">
              <input
                type="radio"
                name="publicNetworkAccess"
                checked={value === choice}
                onChange={() => onChange({ publicNetworkAccess: choice })}
              />
              {choice}
            </label>
          ))}
        </div>
      </fieldset>
    </section>
  );
}

function DefaultAction({ value, onChange }: PartProps) {
  return (
    <div className="short">
      <Field label="Default action" hint="Where the rules below do not decide.">
        {(ids) => (
          <select {...ids} value={value} onChange={({ target }) => onChange({ defaultAction: target.value })}>
            <option>Allow</option>
            <option>Deny</option>
          </select>
        )}
      </Field>
    </div>
  );
}

/** Settings that are replaced as a whole by what is set here. */
const overlaid: readonly string[] = ["properties.networkACLs", "properties.publicNetworkAccess"];

/** Says that these are not the rules of the configuration, and gives those back. */
function SetHere({ onRestored }: { readonly onRestored: (rules: NetworkRules) => void }) {
  const [isAsking, setAsking] = useState(false);
  const status = useStatus();
  const say = useSay();
  const action = useAction();
  const isHiding = status.value?.warnings.some(({ path }) => overlaid.includes(path)) === true;
  const restore = (): void => {
    setAsking(false);
    action.run(async () => {
      onRestored(await admin.restoreNetworkRules());
      status.reload();
      say("The configured network rules count again");
    });
  };
  return (
    <>
      <Notice
        actions={
          <button type="button" aria-disabled={action.isBusy} onClick={() => setAsking(true)}>
            Restore
          </button>
        }
      >
        These rules were set here{isHiding ? "; those of the configuration have no effect" : ""}.
      </Notice>
      {isAsking && (
        <Confirm
          title="Restore the configured rules?"
          action="Restore"
          onClose={() => setAsking(false)}
          onConfirm={restore}
        >
          <p>
            The rules of the configuration count again; without any, everybody is let in. What was set here is lost.
          </p>
        </Confirm>
      )}
    </>
  );
}
