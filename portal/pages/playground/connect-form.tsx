import { useState } from "react";
import { Check, Field } from "../../parts/field.tsx";
import { linesOf } from "../../parts/lines.ts";
import { protocols } from "./protocols.ts";

/** What a client is connected as. */
export interface ConnectChoice {
  readonly hub: string;
  readonly userId: string;
  readonly groups: readonly string[];
  readonly roles: readonly string[];
  readonly endpoint: string;
  /** Title of one of `protocols`. */
  readonly protocol: string;
}

export interface ConnectFormProps {
  readonly endpoints: readonly string[];
  /** Suggestions. */
  readonly hubs: readonly string[];
  readonly initial: Omit<ConnectChoice, "protocol"> & { readonly protocol: string | null };
  readonly isFull: boolean;
  readonly onConnect: (choice: ConnectChoice) => void;
}

const allRoles = ["webpubsub.sendToGroup", "webpubsub.joinLeaveGroup"];
const hubPattern = "[A-Za-z][A-Za-z0-9_`,.\\[\\]]{0,127}";

/** Says who connects, to which hub, and how; adds a client. */
export function ConnectForm({ endpoints, hubs, initial, isFull, onConnect }: ConnectFormProps) {
  const [hub, setHub] = useState(initial.hub);
  const [userId, setUserId] = useState(initial.userId);
  const [groups, setGroups] = useState(initial.groups.join("\n"));
  const [endpoint, setEndpoint] = useState(initial.endpoint);
  const [protocol, setProtocol] = useState(initial.protocol ?? protocols[0]?.title ?? "");
  const hasOwnRoles = initial.roles.length > 0;
  const [mayDoAll, setMayDoAll] = useState(!hasOwnRoles);
  const submit = (): void => {
    onConnect({
      hub,
      userId,
      groups: linesOf(groups),
      roles: mayDoAll ? allRoles : initial.roles,
      endpoint,
      protocol,
    });
  };
  return (
    <form
      className="card"
      aria-label="New client"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div className="grid">
        <Field label="Hub" hint="Letters, digits and _ . , after a first letter">
          {(ids) => (
            <input
              {...ids}
              required
              pattern={hubPattern}
              list="hubs-in-use"
              placeholder="chat"
              value={hub}
              onChange={({ target }) => setHub(target.value)}
            />
          )}
        </Field>
        <datalist id="hubs-in-use">
          {hubs.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <Field label="User ID" hint="Empty: an anonymous client">
          {(ids) => <input {...ids} value={userId} onChange={({ target }) => setUserId(target.value)} />}
        </Field>
        <Field label="Groups to start in" hint="One in each line">
          {(ids) => (
            <textarea
              {...ids}
              className="few-lines"
              spellCheck={false}
              value={groups}
              onChange={({ target }) => setGroups(target.value)}
            />
          )}
        </Field>
        <Field label="Protocol">
          {(ids) => (
            <select {...ids} value={protocol} onChange={({ target }) => setProtocol(target.value)}>
              {protocols.map(({ title, name }) => (
                <option key={title} value={title}>
                  {name === null ? title : `${title} (${name})`}
                </option>
              ))}
            </select>
          )}
        </Field>
        {endpoints.length > 1 && (
          <Field label="Endpoint" hint="https needs a certificate that this browser trusts">
            {(ids) => (
              <select {...ids} value={endpoint} onChange={({ target }) => setEndpoint(target.value)}>
                {endpoints.map((url) => (
                  <option key={url}>{url}</option>
                ))}
              </select>
            )}
          </Field>
        )}
      </div>
      <div className="row">
        <Check label="May send to and join any group" isChecked={mayDoAll} onChange={setMayDoAll} />
        {!mayDoAll && (
          <span className="small soft">
            {hasOwnRoles ? `Roles: ${initial.roles.join(", ")}` : "It may only receive and send events."}
          </span>
        )}
        <button type="submit" className="primary" disabled={isFull}>
          Connect
        </button>
        {isFull && <span className="small soft">Remove a client to connect another.</span>}
      </div>
    </form>
  );
}
