import { useState } from "react";
import { admin, type EventHandler, type HandlerTest } from "../../api/admin.ts";
import { useAction } from "../../app/use-action.ts";
import { wordsOf } from "../../app/use-load.ts";
import { formatNumber } from "../../parts/format.ts";
import { Notice } from "../../parts/notice.tsx";
import { type RawSettings, textAt } from "./raw-settings.ts";

type Tried =
  | { readonly kind: "answered"; readonly test: HandlerTest }
  | { readonly kind: "failed"; readonly why: string };

/** Runs abuse protection against a handler as it stands in the editor, and shows what came back. */
export function HandlerTestButton({ hub, settings }: { readonly hub: string; readonly settings: RawSettings }) {
  const action = useAction();
  // Of the settings it was made with: it says nothing about others.
  const [result, setResult] = useState<{ readonly of: string; readonly tried: Tried } | null>(null);
  const tested = JSON.stringify([hub, settings]);
  const shown = result?.of === tested ? result.tried : null;
  const test = (): void =>
    action.run(
      async () => {
        const handler: EventHandler = { ...settings, urlTemplate: textAt(settings, ["urlTemplate"]) };
        setResult({ of: tested, tried: { kind: "answered", test: await admin.testEventHandler(hub, handler) } });
      },
      (error) => setResult({ of: tested, tried: { kind: "failed", why: wordsOf(error) } }),
    );
  const reason = missing(hub, settings);
  return (
    <div className="stack">
      <div className="row">
        <button type="button" disabled={reason !== null} aria-disabled={action.isBusy} onClick={test}>
          {action.isBusy ? "Testing …" : "Test"}
        </button>
        <span className="small soft">
          {reason ?? "Asks the web server whether it accepts events (abuse protection). Nothing is saved."}
        </span>
      </div>
      {shown?.kind === "failed" && <Notice kind="alarm">{shown.why}</Notice>}
      {shown?.kind === "answered" && <TestResult test={shown.test} />}
    </div>
  );
}

function missing(hub: string, settings: RawSettings): string | null {
  if (hub === "") return "Give the name of the hub to test this.";
  return textAt(settings, ["urlTemplate"]) === "" ? "Give a URL template to test this." : null;
}

/** What an outcome is called; whether events would go there is said by the first member. */
const outcomes: Readonly<Record<string, readonly ["good" | "alarm", string]>> = {
  allowed: ["good", "Works"],
  tunnelConnected: ["good", "Tunnel connected"],
  refused: ["alarm", "Refused"],
  unreachable: ["alarm", "Not reachable"],
  timedOut: ["alarm", "No answer in time"],
  blocked: ["alarm", "Blocked"],
  invalidResponse: ["alarm", "Not a valid answer"],
  invalid: ["alarm", "Not usable"],
  noTunnel: ["alarm", "No tunnel"],
};

function TestResult({ test }: { readonly test: HandlerTest }) {
  const { outcome, message, request, response, durationMs } = test;
  const [kind, words] = outcomes[outcome] ?? ["alarm", outcome];
  return (
    <div className="test-result stack" role="status">
      <div className="row">
        <span className={`badge ${kind}`}>{words}</span>
        <span className="soft small">{formatNumber(durationMs)} ms</span>
      </div>
      <p>{message}</p>
      {request !== null && (
        <details>
          <summary>Request</summary>
          <pre>{httpText(`${request.method} ${request.url}`, request.headers)}</pre>
        </details>
      )}
      {request !== null && response === null && <p className="soft">There was no answer.</p>}
      {response !== null && (
        <details open>
          <summary>Answer: {response.status}</summary>
          <pre>{httpText(`HTTP ${response.status}`, response.headers)}</pre>
          {response.body !== "" && <pre className="body">{response.body}</pre>}
        </details>
      )}
    </div>
  );
}

/** A first line and the headers below it. */
function httpText(first: string, headers: Readonly<Record<string, string>>): string {
  return [first, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join("\n");
}
