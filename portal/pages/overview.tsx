import { meanBetween, perSecond, type Reading } from "../api/metrics.ts";
import { useReadings } from "../app/readings.tsx";
import { linkTo } from "../app/router.ts";
import { useStatus } from "../app/status.tsx";
import { Chart, type Series } from "../parts/chart.tsx";
import { CopyField } from "../parts/copy-field.tsx";
import { counted, formatBytes, formatCompact, formatDuration, formatNumber } from "../parts/format.ts";
import { Notice } from "../parts/notice.tsx";
import { PageHead } from "../parts/page-head.tsx";

/** How the service is doing now, and what to connect to. */
export function Overview() {
  const { value: status } = useStatus();
  if (status === null) return <PageHead title="Overview" />;
  const hubs = Object.entries(status.connections.hubs);
  return (
    <>
      <PageHead title="Overview">
        Service <strong>{status.name}</strong>, tidewire {status.version}. <StateBadge isReady={status.isReady} />
      </PageHead>
      {status.warnings.map(({ path, message }) => (
        <Notice key={`${path} ${message}`} kind="warn">
          <code>{path}</code> {message}
        </Notice>
      ))}
      <div className="grid two">
        <section className="card" aria-label="Endpoints">
          <header>
            <h2>Endpoints</h2>
            <a className="button actions" href={linkTo("keys")}>
              Keys and client URLs
            </a>
          </header>
          {status.endpoints.map((endpoint) => (
            <CopyField key={endpoint} label={endpoint.startsWith("https:") ? "HTTPS" : "HTTP"} value={endpoint} />
          ))}
        </section>
        <section className="card" aria-label="Service">
          <h2>Service</h2>
          <dl className="facts">
            <dt>Up for</dt>
            <dd>{formatDuration(status.uptimeSeconds)}</dd>
            <dt>Listening on</dt>
            <dd>{status.listening.join(", ")}</dd>
            <dt>Configuration</dt>
            <dd>{status.configuration.file ?? "none, defaults"}</dd>
            <dt>Data folder</dt>
            <dd>{status.configuration.dataDir}</dd>
            <dt>Changed here</dt>
            <dd>{status.configuration.overlay.settings.join(", ") || "nothing"}</dd>
          </dl>
        </section>
      </div>
      <Charts />
      <section className="card" aria-label="Hubs in use">
        <header>
          <h2>Hubs in use</h2>
          <span className="soft">{counted(status.connections.total, "connection")}</span>
        </header>
        {hubs.length === 0 ? (
          <p className="soft">
            Nobody is connected. Make a <a href={linkTo("keys")}>client URL</a>, or connect in the{" "}
            <a href={linkTo("playground")}>Playground</a>.
          </p>
        ) : (
          <div className="scroll">
            <table>
              <thead>
                <tr>
                  <th>Hub</th>
                  <th className="number">Connections</th>
                </tr>
              </thead>
              <tbody>
                {hubs.map(([hub, connections]) => (
                  <tr key={hub}>
                    <td>
                      <a href={linkTo("connections", { hub })}>{hub}</a>
                    </td>
                    <td className="number">{formatNumber(connections)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
    </>
  );
}

function StateBadge({ isReady }: { readonly isReady: boolean }) {
  return <span className={`badge ${isReady ? "good" : "warn"}`}>{isReady ? "Running" : "Not ready"}</span>;
}

/** Live charts, from the readings since the console was opened. */
function Charts() {
  const readings = useReadings();
  const times = readings.map(({ at }) => at / 1000);
  const now = (name: string): Series["values"] => readings.map((reading) => reading.sum(name));
  const between = (compute: (before: Reading, after: Reading) => number | null): Series["values"] =>
    readings.map((reading, index) => {
      const before = readings[index - 1];
      return before === undefined ? null : compute(before, reading);
    });
  const rate = (name: string): Series["values"] => between((before, after) => perSecond(before, after, name));
  const milliseconds = (name: string): Series["values"] =>
    between((before, after) => {
      const mean = meanBetween(before, after, name);
      return mean === null ? null : mean * 1000;
    });
  const line = (label: string, colour: string, values: Series["values"]): Series => ({ label, colour, values });
  const inMs = (value: number): string => `${formatNumber(value)} ms`;
  const inBytes = (value: number): string => `${formatBytes(value)}/s`;
  const perS = (value: number): string => `${formatCompact(value)}/s`;
  return (
    <div className="grid">
      <Chart
        title="Connections"
        times={times}
        format={formatCompact}
        series={[line("Open", "--accent", now("webpubsub_total_connection_count"))]}
      />
      <Chart
        title="Messages"
        times={times}
        format={perS}
        series={[
          line("Outbound", "--accent", rate("webpubsub_outbound_messages_total")),
          line("Inbound", "--warn", rate("webpubsub_inbound_messages_total")),
        ]}
      />
      <Chart
        title="Traffic"
        times={times}
        format={inBytes}
        series={[
          line("Outbound", "--accent", rate("webpubsub_outbound_traffic_bytes_total")),
          line("Inbound", "--warn", rate("webpubsub_inbound_traffic_bytes_total")),
        ]}
      />
      <Chart
        title="Handler latency"
        times={times}
        format={inMs}
        series={[line("Mean", "--accent", milliseconds("webpubsub_event_handler_response_seconds"))]}
      />
      <Chart
        title="Event loop delay"
        times={times}
        format={inMs}
        series={[line("Mean", "--accent", milliseconds("webpubsub_event_loop_lag_seconds"))]}
      />
      <Chart
        title="CPU"
        times={times}
        format={(value) => `${formatNumber(value)} %`}
        series={[line("Of one core", "--accent", now("webpubsub_server_load_percent"))]}
      />
    </div>
  );
}
