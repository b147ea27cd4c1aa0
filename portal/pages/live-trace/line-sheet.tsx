import { useRef } from "react";
import type { TraceLine } from "../../api/live-trace.ts";
import { Dialog } from "../../parts/dialog.tsx";
import { counted, formatNumber, formatTime } from "../../parts/format.ts";
import { type Delivery, type Followed, follow } from "./follow.ts";

export interface LineSheetProps {
  readonly line: TraceLine;
  /** Everything captured, to follow the line's message in. */
  readonly lines: readonly TraceLine[];
  /** What the reader has paused at, if so: `lines` may have forgotten it. */
  readonly earlier: readonly TraceLine[] | null;
  readonly onOpen: (line: TraceLine) => void;
  readonly onClose: () => void;
}

const names: Readonly<Record<string, string>> = {
  category: "Category",
  hub: "Hub",
  connectionId: "Connection",
  userId: "User",
  callerIpAddress: "Address",
  routeTemplate: "Route",
  httpMethod: "Method",
  url: "URL",
  statusCode: "Status",
  duration: "Duration, ms",
  traceId: "Trace id",
  elapsed: "Since it was received, ms",
};
const bodies = ["requestHeaders", "requestBody", "responseHeaders", "responseBody"] as const;
const bodyTitles = {
  requestHeaders: "Request headers",
  requestBody: "Request body",
  responseHeaders: "Response headers",
  responseBody: "Response body",
} as const;

/** Everything about one line, and the way of the message it belongs to. */
export function LineSheet({ line, lines, earlier, onOpen, onClose }: LineSheetProps) {
  const { context, event, message, time } = line;
  const traceId = context["traceId"];
  const own = useLinesOf(traceId === undefined ? null : String(traceId), [line, ...(earlier ?? []), ...lines]);
  const facts = Object.entries(context).filter(([name]) => !bodies.some((body) => body === name));
  return (
    <Dialog title={event} onClose={onClose} isSheet>
      <p>{message}</p>
      {traceId !== undefined && <Way followed={follow(own, String(traceId))} current={line} onOpen={onOpen} />}
      {bodies.map((name) => {
        const text = context[name];
        return text === undefined ? null : (
          <section key={name} className="card" aria-label={bodyTitles[name]}>
            <h3>{bodyTitles[name]}</h3>
            <pre>{text}</pre>
          </section>
        );
      })}
      <dl className="facts">
        <dt>Time</dt>
        <dd className="mono">{formatTime(time)}</dd>
        {facts.map(([name, value]) => (
          <Fact key={name} name={names[name] ?? name} value={value} />
        ))}
      </dl>
    </Dialog>
  );
}

/** The lines of one message, in their order; those that are captured no longer stay as long as it is looked at. */
function useLinesOf(traceId: string | null, lines: readonly TraceLine[]): readonly TraceLine[] {
  const kept = useRef<{ traceId: string | null; lines: Map<number, TraceLine> }>({ traceId, lines: new Map() });
  if (kept.current.traceId !== traceId) kept.current = { traceId, lines: new Map() };
  for (const line of lines) {
    if (line.context["traceId"] === traceId) kept.current.lines.set(line.id, line);
  }
  return [...kept.current.lines.values()].toSorted((one, other) => one.id - other.id);
}

function Fact({ name, value }: { readonly name: string; readonly value: string | number }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

interface WayProps {
  readonly followed: Followed;
  readonly current: TraceLine;
  readonly onOpen: (line: TraceLine) => void;
}

/** The message step by step, and what became of it for each recipient. */
function Way({ followed, current, onOpen }: WayProps) {
  const { steps, deliveries, recipients } = followed;
  // One that had to wait has two lines.
  const seen = new Set(deliveries.map(({ connectionId }) => connectionId)).size;
  return (
    <section className="card" aria-label="The way of this message">
      <h3>The way of this message</h3>
      <ol className="way">
        {steps.map(({ line, elapsed }) => (
          <li key={line.id} aria-current={line.id === current.id ? "step" : undefined}>
            <span className="mono small">{milliseconds(elapsed)}</span>
            <div>
              <button type="button" className="link" onClick={() => onOpen(line)}>
                {line.event}
              </button>
              <div className="small soft">{line.message}</div>
            </div>
          </li>
        ))}
      </ol>
      {deliveries.length > 0 && <Deliveries deliveries={deliveries} onOpen={onOpen} />}
      {recipients !== null && recipients > seen && (
        <p className="small soft">
          {counted(recipients - seen, "recipient")} not followed: the first 100 are, and those that a filter names.
        </p>
      )}
    </section>
  );
}

interface DeliveriesProps {
  readonly deliveries: readonly Delivery[];
  readonly onOpen: (line: TraceLine) => void;
}

const stageBadges: Readonly<Record<string, string>> = { written: "good", waiting: "warn", kept: "warn" };

function Deliveries({ deliveries, onOpen }: DeliveriesProps) {
  return (
    <div className="scroll">
      <table>
        <thead>
          <tr>
            <th>Recipient</th>
            <th>State</th>
            <th className="number">Queued</th>
            <th className="number">Done</th>
          </tr>
        </thead>
        <tbody>
          {deliveries.map(({ line, connectionId, userId, stage, queued, elapsed }) => (
            <tr key={line.id}>
              <td>
                <button type="button" className="link" onClick={() => onOpen(line)}>
                  {userId ?? <span className="mono">{connectionId}</span>}
                </button>
              </td>
              <td>
                <span className={`badge ${stageBadges[stage] ?? "alarm"}`}>{stage}</span>
              </td>
              <td className="number mono small">{milliseconds(queued)}</td>
              <td className="number mono small">{milliseconds(elapsed)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const milliseconds = (value: number | null): string => (value === null ? "" : `${formatNumber3(value)} ms`);

/** Microseconds matter here. */
const formatNumber3 = (value: number): string => (value < 10 ? value.toFixed(3) : formatNumber(value));
