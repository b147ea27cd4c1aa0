import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { Check, Field } from "../../parts/field.tsx";
import { formatTime } from "../../parts/format.ts";
import type { ConnectChoice } from "./connect-form.tsx";
import type { ClientSnapshot, PlaygroundClient } from "./playground-client.ts";
import type { Content } from "./protocols.ts";

export interface ClientPanelProps {
  readonly number: number;
  readonly choice: ConnectChoice;
  readonly client: PlaygroundClient;
  readonly onRemove: () => void;
}

/** One client: what it can do, and its frames. */
export function ClientPanel({ number, choice, client, onRemove }: ClientPanelProps) {
  const snapshot = useSyncExternalStore(
    (listener) => client.subscribe(listener),
    () => client.snapshot,
  );
  const { protocol } = client;
  const title = `Client ${number}${choice.userId === "" ? "" : ` · ${choice.userId}`}`;
  return (
    <section className="card" aria-label={`Client ${number}`}>
      <header>
        <h2>{title}</h2>
        <StateBadge snapshot={snapshot} />
        <div className="actions">
          <button type="button" className="quiet" aria-label={`Remove client ${number}`} onClick={onRemove}>
            Remove
          </button>
        </div>
      </header>
      <p className="small soft">
        {protocol.title}, hub {choice.hub}
        {snapshot.connectionId !== null && (
          <>
            , <span className="mono">{snapshot.connectionId}</span>
          </>
        )}
      </p>
      <Connecting client={client} snapshot={snapshot} />
      {protocol.hasRequests ? <Requests client={client} /> : <RawForm client={client} label="Message" />}
      <Frames client={client} snapshot={snapshot} />
    </section>
  );
}

function StateBadge({ snapshot: { state } }: { readonly snapshot: ClientSnapshot }) {
  const kinds = { connecting: "warn", open: "good", closed: "alarm" } as const;
  const words = { connecting: "connecting", open: "connected", closed: "not connected" } as const;
  return (
    <span className={`badge ${kinds[state]}`} role="status">
      {words[state]}
    </span>
  );
}

function Connecting({ client, snapshot }: { readonly client: PlaygroundClient; readonly snapshot: ClientSnapshot }) {
  const { state, canRecover } = snapshot;
  if (state === "closed") {
    return (
      <div className="row">
        <button type="button" onClick={() => void client.connect()}>
          Connect anew
        </button>
        {canRecover && (
          <button type="button" className="primary" onClick={() => client.recover()}>
            Recover
          </button>
        )}
      </div>
    );
  }
  return (
    <div className="row">
      <button type="button" disabled={state !== "open"} onClick={() => client.close()}>
        Disconnect
      </button>
      {client.protocol.isReliable && (
        <button type="button" disabled={state !== "open"} onClick={() => client.drop()}>
          Drop the connection
        </button>
      )}
    </div>
  );
}

type Doing = "Send to group" | "Send event" | "Join group" | "Leave group" | "Raw frame";
const doings: readonly Doing[] = ["Send to group", "Send event", "Join group", "Leave group", "Raw frame"];

function Requests({ client }: { readonly client: PlaygroundClient }) {
  const [doing, setDoing] = useState<Doing>("Join group");
  const [group, setGroup] = useState("room");
  const [event, setEvent] = useState("message");
  const [text, setText] = useState("");
  const [dataType, setDataType] = useState<Content["dataType"]>("text");
  const [noEcho, setNoEcho] = useState(false);
  const isText = client.protocol.name?.startsWith("json") === true;
  const choices = isText ? doings : doings.filter((name) => name !== "Raw frame");
  const send = (): void => {
    const content = { dataType, text };
    if (doing === "Join group") client.send({ kind: "joinGroup", group });
    else if (doing === "Leave group") client.send({ kind: "leaveGroup", group });
    else if (doing === "Send to group") client.send({ kind: "sendToGroup", group, content, noEcho });
    else client.send({ kind: "event", event, content });
  };
  const hasGroup = doing !== "Send event";
  const hasContent = doing === "Send to group" || doing === "Send event";
  return (
    <div className="stack">
      <Field label="Do">
        {(ids) => (
          <select
            {...ids}
            value={doing}
            onChange={({ target }) => setDoing(doings.find((name) => name === target.value) ?? "Join group")}
          >
            {choices.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
      {doing === "Raw frame" ? (
        <RawForm client={client} label="Frame" />
      ) : (
        <form
          className="stack"
          onSubmit={(submitted) => {
            submitted.preventDefault();
            send();
          }}
        >
          {hasGroup ? (
            <Field label="Group">
              {(ids) => <input {...ids} required value={group} onChange={({ target }) => setGroup(target.value)} />}
            </Field>
          ) : (
            <Field label="Event">
              {(ids) => <input {...ids} required value={event} onChange={({ target }) => setEvent(target.value)} />}
            </Field>
          )}
          {hasContent && (
            <Field label="Content">
              {(ids) => <textarea {...ids} rows={2} value={text} onChange={({ target }) => setText(target.value)} />}
            </Field>
          )}
          <div className="row">
            {hasContent && (
              <select
                aria-label="Data type"
                className="narrow"
                value={dataType}
                onChange={({ target }) => setDataType(target.value === "json" ? "json" : "text")}
              >
                <option value="text">Text</option>
                <option value="json">JSON</option>
              </select>
            )}
            {doing === "Send to group" && <Check label="Not back to me" isChecked={noEcho} onChange={setNoEcho} />}
            <button type="submit" className="primary">
              {doing}
            </button>
          </div>
        </form>
      )}
    </div>
  );
}

function RawForm({ client, label }: { readonly client: PlaygroundClient; readonly label: string }) {
  const [text, setText] = useState("");
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        client.sendRaw(text);
      }}
    >
      <Field label={label}>
        {(ids) => <textarea {...ids} rows={2} value={text} onChange={({ target }) => setText(target.value)} />}
      </Field>
      <div className="row">
        <button type="submit" className="primary">
          Send {label.toLowerCase()}
        </button>
      </div>
    </form>
  );
}

const arrows = { in: "↓", out: "↑", note: "·" } as const;
const directions = { in: "received", out: "sent", note: "note" } as const;

function Frames({ client, snapshot }: { readonly client: PlaygroundClient; readonly snapshot: ClientSnapshot }) {
  const box = useRef<HTMLOListElement>(null);
  const { entries } = snapshot;
  useEffect(() => {
    const list = box.current;
    if (list !== null) list.scrollTop = list.scrollHeight;
  }, [entries]);
  return (
    <div className="stack">
      <div className="row">
        <h3>Frames</h3>
        <button type="button" className="quiet" onClick={() => client.clear()}>
          Clear
        </button>
      </div>
      <ol className="frames" ref={box} role="log" aria-label="Frames" tabIndex={0}>
        {entries.map(({ id, direction, time, text }) => (
          <li key={id} className={`frame-line ${direction}`}>
            <span className="soft">
              <span aria-label={directions[direction]}>{arrows[direction]}</span> {formatTime(time)}
            </span>
            <pre>{text}</pre>
          </li>
        ))}
      </ol>
    </div>
  );
}
