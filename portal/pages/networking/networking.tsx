import { useState } from "react";
import { admin, type NetworkRules } from "../../api/admin.ts";
import { ApiError } from "../../api/http.ts";
import { useStatus } from "../../app/status.tsx";
import { useSay } from "../../app/toasts.tsx";
import { useAction } from "../../app/use-action.ts";
import { type Loaded, useLoad, wordsOf } from "../../app/use-load.ts";
import { Confirm } from "../../parts/dialog.tsx";
import { faultAt, faultsElsewhere, faultsOf, type SettingFault } from "../../parts/faults.ts";
import { Field } from "../../parts/field.tsx";
import { Notice } from "../../parts/notice.tsx";
import { PageHead } from "../../parts/page-head.tsx";
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
      {rules.error !== null && (
        <Notice
          kind="alarm"
          actions={
            <button type="button" onClick={rules.reload}>
              Try again
            </button>
          }
        >
          The rules cannot be shown. {rules.error}
        </Notice>
      )}
      {rules.value === null && rules.error === null && <p className="soft">Loading the rules …</p>}
      {rules.value !== null && <RulesForm key={JSON.stringify(rules.value)} saved={rules.value} onChange={rules.set} />}
    </>
  );
}

interface RulesFormProps {
  readonly saved: NetworkRules;
  readonly onChange: Loaded<NetworkRules>["set"];
}

function RulesForm({ saved, onChange }: RulesFormProps) {
  const [rules, setRules] = useState(saved);
  const [faults, setFaults] = useState<readonly SettingFault[]>([]);
  const [failure, setFailure] = useState<string | null>(null);
  const [asked, setAsked] = useState<"save" | "restore" | null>(null);
  const status = useStatus();
  const say = useSay();
  const action = useAction();
  const changes = changesOf(saved, rules);
  const isChanged = Object.keys(changes).length > 0;
  const losses = lockouts(saved, rules);
  const isHiding = status.value?.warnings.some(({ path }) => overlaid.includes(path)) === true;
  const change = (part: Partial<NetworkRules>): void => setRules({ ...rules, ...part });
  const run = (work: () => Promise<NetworkRules>, done: string): void => {
    setAsked(null);
    setFailure(null);
    setFaults([]);
    action.run(
      async () => {
        onChange(await work());
        status.reload();
        say(done);
      },
      (error) => {
        const details = error instanceof ApiError ? error.details : [];
        setFaults(faultsOf(details, ["properties.networkACLs", "properties"]));
        setFailure(details.length === 0 ? wordsOf(error) : "Nothing was saved; some rules are not right.");
      },
    );
  };
  const save = (): void => run(() => admin.patchNetworkRules(changes), "The network rules are saved");
  const rest = faultsElsewhere(faults, [
    "ipRules",
    ...rules.privateEndpoints.map((_, index) => `privateEndpoints[${index}].name`),
  ]);
  return (
    <>
      {saved.source === "overlay" && (
        <Notice
          actions={
            <button type="button" onClick={() => setAsked("restore")}>
              Restore
            </button>
          }
        >
          These rules were set here{isHiding ? "; those of the configuration have no effect" : ""}.
        </Notice>
      )}
      <section className="card" aria-label="Public network access">
        <h2>Public network access</h2>
        <fieldset className="row">
          <legend className="small soft">
            Disabled: only listeners that are named below as private endpoints let requests through.
          </legend>
          {["Enabled", "Disabled"].map((value) => (
            <label key={value} className="check">
              <input
                type="radio"
                name="publicNetworkAccess"
                checked={rules.publicNetworkAccess === value}
                onChange={() => change({ publicNetworkAccess: value })}
              />
              {value}
            </label>
          ))}
        </fieldset>
      </section>
      <section className="card" aria-label="Access control rules">
        <h2>Access control rules</h2>
        <div className="short">
          <Field label="Default action" hint="Where the rules below do not decide.">
            {(ids) => (
              <select
                {...ids}
                value={rules.defaultAction}
                onChange={({ target }) => change({ defaultAction: target.value })}
              >
                <option>Allow</option>
                <option>Deny</option>
              </select>
            )}
          </Field>
        </div>
        <RequestRules rules={rules} onChange={change} faults={faults} />
      </section>
      <IpRules
        rules={rules.ipRules}
        onChange={(ipRules) => {
          change({ ipRules });
          setFaults([]);
        }}
        faults={faults}
      />
      {failure !== null && (
        <Notice kind="alarm">
          {failure}
          {rest.map(({ target, message }) => (
            <span key={`${target} ${message}`} className="line">
              <code>{target}</code> {message}
            </span>
          ))}
          {faultAt(faults, "ipRules") !== null && <span className="line">See the marked IP rules.</span>}
        </Notice>
      )}
      {losses.length > 0 && (
        <Notice kind="warn">
          <strong>This locks out part of the public network.</strong> {losses.join(" ")}
        </Notice>
      )}
      <div className="row save-bar">
        <button
          type="button"
          className="primary"
          disabled={!isChanged || action.isBusy}
          onClick={() => (losses.length > 0 ? setAsked("save") : save())}
        >
          Save
        </button>
        <button
          type="button"
          disabled={!isChanged}
          onClick={() => {
            setRules(saved);
            setFaults([]);
            setFailure(null);
          }}
        >
          Discard
        </button>
        <span className="small soft">{isChanged ? "There are unsaved changes." : "Everything is saved."}</span>
      </div>
      {asked === "save" && (
        <Confirm title="Lock them out?" action="Save these rules" onClose={() => setAsked(null)} onConfirm={save}>
          <div className="stack">
            <ul>
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
      {asked === "restore" && (
        <Confirm
          title="Restore the configured rules?"
          action="Restore"
          onClose={() => setAsked(null)}
          onConfirm={() => run(() => admin.restoreNetworkRules(), "The configured network rules count again")}
        >
          <p>
            The rules of the configuration count again, or the built-in ones, which let everybody in. What was set here
            is lost.
          </p>
        </Confirm>
      )}
    </>
  );
}

/** Settings that are replaced as a whole by what is set here. */
const overlaid: readonly string[] = ["properties.networkACLs", "properties.publicNetworkAccess"];
