import { type ReactNode, useState } from "react";
import { admin, type ConnectionDetail } from "../../api/admin.ts";
import { dataPlane } from "../../api/data-plane.ts";
import { linkTo } from "../../app/router.ts";
import { useSay } from "../../app/toasts.tsx";
import { useLoad, wordsOf } from "../../app/use-load.ts";
import { Confirm, Dialog } from "../../parts/dialog.tsx";
import { Field } from "../../parts/field.tsx";
import { counted, formatBytes, formatTime } from "../../parts/format.ts";
import { Notice } from "../../parts/notice.tsx";
import { SendForm } from "../../parts/send-form.tsx";

export interface ConnectionSheetProps {
  readonly hub: string;
  readonly id: string;
  readonly onClose: () => void;
}

/** Does something to the connection and says how it went; the sheet is loaded again after it. */
type Act = (action: () => Promise<unknown>, done: string) => Promise<void>;

/** One connection: what it is, what it may do, and what can be done to it. */
export function ConnectionSheet({ hub, id, onClose }: ConnectionSheetProps) {
  const say = useSay();
  const loaded = useLoad(`${hub}/${id}`, () => admin.connection(hub, id), { everyMs: 3000 });
  const [isClosing, setClosing] = useState(false);
  const act: Act = async (action, done) => {
    await action().then(
      () => say(done),
      (error: unknown) => say(wordsOf(error)),
    );
    loaded.reload();
  };
  const close = async (): Promise<void> => {
    setClosing(false);
    try {
      await dataPlane.closeConnection(hub, id, "closed by the operator");
      say("The connection was closed.");
      onClose();
    } catch (error) {
      say(wordsOf(error));
    }
  };
  const { value: connection, error } = loaded;
  return (
    <Dialog title={`Connection ${id}`} onClose={onClose} isSheet>
      {error !== null && (
        <Notice kind="alarm">
          {error}
          {connection !== null && " What is below is how it was last."}
        </Notice>
      )}
      {connection !== null && (
        <>
          <Facts connection={connection} />
          <Groups connection={connection} act={act} />
          <Permissions connection={connection} act={act} />
          <section className="card" aria-label="Send to this connection">
            <h3>Send to this connection</h3>
            <SendForm onSend={(message) => dataPlane.send(hub, { kind: "connection", name: id }, message)} />
          </section>
          <Errors connection={connection} />
          <div className="row end">
            <button type="button" className="danger" onClick={() => setClosing(true)}>
              Close connection
            </button>
          </div>
        </>
      )}
      {isClosing && (
        <Confirm
          title="Close this connection?"
          action="Close connection"
          onClose={() => setClosing(false)}
          onConfirm={() => void close()}
        >
          The client is told “closed by the operator”. It may connect again by itself.
        </Confirm>
      )}
    </Dialog>
  );
}

function Facts({ connection }: { readonly connection: ConnectionDetail }) {
  const { hub, userId, protocol, callerIpAddress, isDetached, queue, replay } = connection;
  const waiting = (what: { readonly messages: number; readonly bytes: number }): string =>
    `${counted(what.messages, "message")}, ${formatBytes(what.bytes)}`;
  return (
    <dl className="facts">
      <dt>Hub</dt>
      <dd>{hub}</dd>
      <dt>User</dt>
      <dd>{userId === null ? "anonymous" : <a href={linkTo("connections", { hub, user: userId })}>{userId}</a>}</dd>
      <dt>Protocol</dt>
      <dd>{protocol ?? "simple WebSocket"}</dd>
      <dt>Address</dt>
      <dd>{callerIpAddress}</dd>
      <dt>State</dt>
      <dd>{isDetached ? "away: its socket is gone, it may come back" : "connected"}</dd>
      <dt>Waiting to be sent</dt>
      <dd>{waiting(queue)}</dd>
      {replay !== null && (
        <>
          <dt>Not yet confirmed</dt>
          <dd>{waiting(replay)}</dd>
        </>
      )}
    </dl>
  );
}

interface PartProps {
  readonly connection: ConnectionDetail;
  readonly act: Act;
}

function Groups({ connection, act }: PartProps) {
  const { hub, connectionId: id, groupNames, groups } = connection;
  const [group, setGroup] = useState("");
  return (
    <section className="card" aria-label="Groups">
      <h3>Groups</h3>
      <Chips
        texts={groupNames}
        none="In no group."
        removal={{
          label: (name) => `Remove from group ${name}`,
          run: (name) => void act(() => dataPlane.removeFromGroup(hub, name, id), `Removed from ${name}.`),
        }}
      />
      {groups > groupNames.length && <p className="small soft">And {groups - groupNames.length} more.</p>}
      <form
        className="row low"
        onSubmit={(event) => {
          event.preventDefault();
          void act(() => dataPlane.addToGroup(hub, group, id), `Added to ${group}.`).then(() => setGroup(""));
        }}
      >
        <div className="grow">
          <Field label="Group">
            {(ids) => <input {...ids} required value={group} onChange={({ target }) => setGroup(target.value)} />}
          </Field>
        </div>
        <button type="submit">Add to group</button>
      </form>
    </section>
  );
}

const permissionNames = ["sendToGroup", "joinLeaveGroup"] as const;

function Permissions({ connection, act }: PartProps) {
  const { hub, connectionId: id, permissions, revokedPermissions } = connection;
  const [permission, setPermission] = useState<string>(permissionNames[0]);
  const [group, setGroup] = useState("");
  const grant = (name: string, target: string): Promise<void> =>
    act(() => dataPlane.grant(hub, name, { id, group: target }), `Granted ${name} for ${target}.`);
  const revoke = (name: string, target: string): Promise<void> =>
    act(() => dataPlane.revoke(hub, name, { id, group: target }), `Revoked ${name} for ${target}.`);
  return (
    <section className="card" aria-label="Permissions">
      <h3>Permissions</h3>
      <Chips texts={permissions} none="None beyond receiving, and sending events." />
      {revokedPermissions.length > 0 && (
        <>
          <p className="small soft">Revoked, which counts before all of the above:</p>
          <Chips texts={revokedPermissions} />
        </>
      )}
      <form
        className="row low"
        onSubmit={(event) => {
          event.preventDefault();
          const { submitter } = event.nativeEvent;
          void (submitter?.getAttribute("value") === "revoke" ? revoke : grant)(permission, group);
        }}
      >
        <Field label="Permission">
          {(ids) => (
            <select {...ids} value={permission} onChange={({ target }) => setPermission(target.value)}>
              {permissionNames.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          )}
        </Field>
        <div className="grow">
          <Field label="For group">
            {(ids) => <input {...ids} required value={group} onChange={({ target }) => setGroup(target.value)} />}
          </Field>
        </div>
        <button type="submit">Grant</button>
        <button type="submit" value="revoke">
          Revoke
        </button>
      </form>
    </section>
  );
}

interface ChipsProps {
  readonly texts: readonly string[];
  /** Said in place of an empty list. */
  readonly none?: string;
  /** With a button that takes one away. */
  readonly removal?: { readonly label: (text: string) => string; readonly run: (text: string) => void };
}

function Chips({ texts, none = "", removal }: ChipsProps): ReactNode {
  if (texts.length === 0) return <p className="soft">{none}</p>;
  return (
    <ul className="chips">
      {texts.map((text) => (
        <li key={text} className="chip">
          <span>{text}</span>
          {removal !== undefined && (
            <button type="button" className="quiet" aria-label={removal.label(text)} onClick={() => removal.run(text)}>
              ×
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

function Errors({ connection: { recentErrors } }: { readonly connection: ConnectionDetail }) {
  return (
    <section className="card" aria-label="Last errors">
      <h3>Last errors</h3>
      {recentErrors.length === 0 ? (
        <p className="soft">None.</p>
      ) : (
        <ol className="stack">
          {recentErrors.map(({ time, name, message }) => (
            <li key={`${time} ${message}`}>
              <span className="mono soft">{formatTime(time)}</span> <strong>{name}</strong> {message}
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
