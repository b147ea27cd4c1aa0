import { useState } from "react";
import { admin, type LiveTraceSettings } from "../../api/admin.ts";
import type { TraceFilter, TraceLine } from "../../api/live-trace.ts";
import { useStatus } from "../../app/status.tsx";
import { useSay } from "../../app/toasts.tsx";
import { type Loaded, useLoad, wordsOf } from "../../app/use-load.ts";
import { Check, Field } from "../../parts/field.tsx";
import { counted, formatNumber, formatTime } from "../../parts/format.ts";
import { Empty, Notice } from "../../parts/notice.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Cell, VirtualList } from "../../parts/virtual-list.tsx";
import { fits } from "./follow.ts";
import { LineSheet } from "./line-sheet.tsx";
import { type Trace, useTrace } from "./use-trace.ts";

const levels = ["debug", "information", "warning", "error"] as const;
const levelNames = { debug: "debug", information: "info", warning: "warning", error: "error" } as const;
const noFilter = { hub: "", connectionId: "", userId: "" };
const badges = { debug: "", information: "", warning: "warn", error: "alarm" } as const;

/** What happens in the service, line by line, and the way of one message. */
export function LiveTrace() {
  const { value: status } = useStatus();
  const settings = useLoad("live-trace", () => admin.liveTrace());
  const [filter, setFilter] = useState(noFilter);
  const [wantsBodies, setWantsBodies] = useState(false);
  const [looked, setLooked] = useState<Looked>({ keyword: "", level: "debug" });
  /** The lines as they were when the reader paused; null: they follow. */
  const [paused, setPaused] = useState<readonly TraceLine[] | null>(null);
  const [opened, setOpened] = useState<TraceLine | null>(null);
  const trace = useTrace(status?.endpoints ?? [], { filter, wantsBodies });
  if (status === null || settings.value === null) {
    return <PageHead title="Live trace">{settings.error}</PageHead>;
  }
  const lines = paused ?? trace.lines;
  const shown = lines.filter(
    (line) => levels.indexOf(line.level) >= levels.indexOf(looked.level) && fits(line, looked.keyword),
  );
  return (
    <>
      <PageHead title="Live trace">
        Connections, messages and requests as they happen. Open a line to follow its message from the sender to each
        recipient. Nothing is computed while nobody captures.
      </PageHead>
      {settings.value.enabled ? (
        <>
          <Controls
            trace={trace}
            isPaused={paused !== null}
            hasLines={lines.length > 0}
            onPause={() => setPaused(paused === null ? trace.lines : null)}
            onClear={() => {
              trace.clear();
              if (paused !== null) setPaused([]);
            }}
          />
          <Settings settings={settings.value} loaded={settings} />
          <Filters
            looked={looked}
            onLook={setLooked}
            filter={filter}
            onFilter={setFilter}
            wantsBodies={wantsBodies}
            onWantBodies={setWantsBodies}
          />
          <p className="small soft" role="status">
            {counted(shown.length, "line")}
            {shown.length < lines.length && ` of ${formatNumber(lines.length)}`}
            {trace.forgotten > 0 && `, ${formatNumber(trace.forgotten)} older ones forgotten`}
          </p>
          {trace.dropped > 0 && (
            <Notice kind="warn">
              The service left out {counted(trace.dropped, "line")}: more came than a view gets in a second. No message
              was lost. A hub, connection or user to look at makes it fewer.
            </Notice>
          )}
          <VirtualList
            label="Lines"
            items={shown}
            keyOf={({ id }) => String(id)}
            rowHeight={36}
            columns="96px 76px minmax(200px, 1.2fr) minmax(300px, 3fr) minmax(70px, 0.6fr) minmax(90px, 0.8fr)"
            minWidth={980}
            head={["Time", "Level", "Event", "Message", "Hub", "User"]}
            isFollowing={paused === null}
            onOpen={setOpened}
            empty={
              <NoLines
                state={trace.state.kind}
                isPaused={paused !== null}
                hasLines={lines.length > 0}
                onStart={trace.start}
              />
            }
            cells={(line) => (
              <>
                <Cell>
                  <span className="mono small">{formatTime(line.time)}</span>
                </Cell>
                <Cell>
                  <span className={`badge ${badges[line.level]}`}>{levelNames[line.level]}</span>
                </Cell>
                <Cell>
                  <button type="button" className="link" onClick={() => setOpened(line)}>
                    {line.event}
                  </button>
                </Cell>
                <Cell>{line.message}</Cell>
                <Cell>{line.context["hub"] ?? ""}</Cell>
                <Cell>{line.context["userId"] ?? ""}</Cell>
              </>
            )}
          />
        </>
      ) : (
        <SwitchedOff loaded={settings} />
      )}
      {opened !== null && (
        <LineSheet
          line={opened}
          lines={trace.lines}
          earlier={paused}
          onOpen={setOpened}
          onClose={() => setOpened(null)}
        />
      )}
    </>
  );
}

/** What is looked for in the lines that are here. */
interface Looked {
  readonly keyword: string;
  readonly level: (typeof levels)[number];
}

interface FiltersProps {
  readonly looked: Looked;
  readonly onLook: (looked: Looked) => void;
  readonly filter: TraceFilter;
  readonly onFilter: (filter: TraceFilter) => void;
  readonly wantsBodies: boolean;
  readonly onWantBodies: (isWanted: boolean) => void;
}

/** What is shown of the lines that are here, and what the service is asked for. */
function Filters({ looked, onLook, filter, onFilter, wantsBodies, onWantBodies }: FiltersProps) {
  const { keyword, level } = looked;
  return (
    <section className="card" aria-label="Filter">
      <div className="grid dense">
        <Field label="Keyword" hint="In any column">
          {(ids) => (
            <input
              {...ids}
              type="search"
              value={keyword}
              onChange={({ target }) => onLook({ ...looked, keyword: target.value })}
            />
          )}
        </Field>
        <Field label="From level">
          {(ids) => (
            <select
              {...ids}
              value={level}
              onChange={({ target }) =>
                onLook({ ...looked, level: levels.find((name) => name === target.value) ?? "debug" })
              }
            >
              {levels.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          )}
        </Field>
        <ServiceFilter label="Hub" value={filter.hub} onChange={(hub) => onFilter({ ...filter, hub })} />
        <ServiceFilter
          label="Connection"
          value={filter.connectionId}
          onChange={(connectionId) => onFilter({ ...filter, connectionId })}
        />
        <ServiceFilter label="User" value={filter.userId} onChange={(userId) => onFilter({ ...filter, userId })} />
      </div>
      <Check
        label="Show what is exchanged with event handlers: headers and bodies, payloads included, secrets masked"
        isChecked={wantsBodies}
        onChange={onWantBodies}
      />
    </section>
  );
}

interface ControlsProps {
  readonly trace: Trace;
  readonly isPaused: boolean;
  readonly hasLines: boolean;
  readonly onPause: () => void;
  readonly onClear: () => void;
}

function Controls({ trace, isPaused, hasLines, onPause, onClear }: ControlsProps) {
  const { state } = trace;
  const isOn = state.kind === "capturing" || state.kind === "starting";
  return (
    <>
      <div className="row">
        {isOn ? (
          <button type="button" onClick={trace.stop}>
            Stop
          </button>
        ) : (
          <button type="button" className="primary" onClick={trace.start}>
            Capture
          </button>
        )}
        <button type="button" aria-pressed={isPaused} disabled={!isPaused && !hasLines} onClick={onPause}>
          {isPaused ? "Go on" : "Pause"}
        </button>
        <button type="button" disabled={!hasLines} onClick={onClear}>
          Clear
        </button>
        <span className={`badge ${state.kind === "capturing" ? "good" : ""}`} role="status">
          {{ idle: "not capturing", starting: "starting", capturing: "capturing", ended: "ended" }[state.kind]}
        </span>
        {isPaused && <span className="small soft">Paused: new lines are kept, and shown when you go on.</span>}
      </div>
      {state.kind === "ended" && <Notice kind="alarm">{state.reason}</Notice>}
    </>
  );
}

function ServiceFilter({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (text: string) => void;
}) {
  return (
    <Field label={label} hint="The whole name">
      {(ids) => (
        <input
          {...ids}
          defaultValue={value}
          onBlur={({ target }) => onChange(target.value.trim())}
          onKeyDown={({ key, currentTarget }) => {
            if (key === "Enter") onChange(currentTarget.value.trim());
          }}
        />
      )}
    </Field>
  );
}

function SwitchedOff({ loaded }: { readonly loaded: Loaded<LiveTraceSettings> }) {
  const say = useSay();
  const turnOn = async (): Promise<void> => {
    await admin.patchLiveTrace({ enabled: true }).then(
      (settings) => {
        loaded.set(settings);
        say("Live trace is on.");
      },
      (error: unknown) => say(wordsOf(error)),
    );
  };
  return (
    <section className="card">
      <Empty
        title="Live trace is off"
        action={
          <button type="button" className="primary" onClick={() => void turnOn()}>
            Turn on live trace
          </button>
        }
      >
        While it is on, whoever has an access key may watch connections, messages and requests: without their content,
        but for what is exchanged with event handlers.
      </Empty>
    </section>
  );
}

interface SettingsProps {
  readonly settings: LiveTraceSettings;
  readonly loaded: Loaded<LiveTraceSettings>;
}

/** Which categories are traced. */
function Settings({ settings, loaded }: SettingsProps) {
  const say = useSay();
  const change = (changes: Partial<LiveTraceSettings>): void =>
    void admin.patchLiveTrace(changes).then(
      (next) => loaded.set(next),
      (error: unknown) => say(wordsOf(error)),
    );
  const toggle = (category: string, isWanted: boolean): void => {
    const next = settings.categories.map(({ name, enabled }) => ({
      name,
      enabled: name === category ? isWanted : enabled,
    }));
    if (next.some(({ enabled }) => enabled)) change({ categories: next });
    else say("One category has to stay; turn live trace off instead.");
  };
  return (
    <div className="row">
      {settings.categories.map(({ name, enabled }) => (
        <Check key={name} label={name} isChecked={enabled} onChange={(isChecked) => toggle(name, isChecked)} />
      ))}
      <button type="button" className="quiet" onClick={() => change({ enabled: false })}>
        Turn off live trace
      </button>
    </div>
  );
}

interface NoLinesProps {
  readonly state: string;
  readonly isPaused: boolean;
  readonly hasLines: boolean;
  readonly onStart: () => void;
}

function NoLines({ state, isPaused, hasLines, onStart }: NoLinesProps) {
  if (hasLines) return <Empty title="No line fits">Look for less, or from a lower level.</Empty>;
  if (isPaused) return <Empty title="Paused">Go on to see the lines that came since.</Empty>;
  if (state === "capturing" || state === "starting") {
    return <Empty title="Waiting for lines">Connect a client or send a message, for instance in the Playground.</Empty>;
  }
  return (
    <Empty
      title="Nothing captured"
      action={
        <button type="button" className="primary" onClick={onStart}>
          Start to capture
        </button>
      }
    >
      Lines appear here from the moment you capture.
    </Empty>
  );
}
