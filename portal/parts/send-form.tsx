import { useState } from "react";
import { useSay } from "../app/toasts.tsx";
import { wordsOf } from "../app/use-load.ts";
import { Field } from "./field.tsx";

/** A message as the data plane takes it. */
export interface Message {
  readonly body: string;
  readonly contentType: string;
}

const kinds = { Text: "text/plain", JSON: "application/json" } as const;
type Kind = keyof typeof kinds;

/** Writes a message and sends it; what is no JSON is refused here, in words. */
export function SendForm({ onSend }: { readonly onSend: (message: Message) => Promise<unknown> }) {
  const say = useSay();
  const [kind, setKind] = useState<Kind>("Text");
  const [text, setText] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const send = async (): Promise<void> => {
    const problem = kind === "JSON" ? jsonFault(text) : null;
    setFault(problem);
    if (problem !== null) return;
    await onSend({ body: text, contentType: kinds[kind] }).then(
      () => say("Sent."),
      (error: unknown) => say(wordsOf(error)),
    );
  };
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <Field label="Message" fault={fault}>
        {(ids) => <textarea {...ids} rows={3} required value={text} onChange={({ target }) => setText(target.value)} />}
      </Field>
      <div className="row end">
        <select
          aria-label="Kind of message"
          className="narrow"
          value={kind}
          onChange={({ target }) => setKind(target.value === "JSON" ? "JSON" : "Text")}
        >
          {Object.keys(kinds).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <button type="submit" className="primary">
          Send
        </button>
      </div>
    </form>
  );
}

function jsonFault(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return `This is not JSON: ${wordsOf(error)}`;
  }
}
