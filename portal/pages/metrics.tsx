import { useState } from "react";
import { type Family, type Reading, type Sample } from "../api/metrics.ts";
import { useReadings } from "../app/readings.tsx";
import { Chart } from "../parts/chart.tsx";
import { Field } from "../parts/field.tsx";
import { formatBytes, formatCompact, formatNumber } from "../parts/format.ts";
import { Empty } from "../parts/notice.tsx";
import { PageHead } from "../parts/page-head.tsx";

const colours = ["--accent", "--warn", "--alarm", "--good", "--soft"];

/** Every metric as it is now, and the history of the one that is chosen. */
export function Metrics() {
  const readings = useReadings();
  const [search, setSearch] = useState("");
  const [chosen, setChosen] = useState("webpubsub_total_connection_count");
  const latest = readings.at(-1);
  const families = (latest?.families ?? []).filter(({ name, help }) =>
    `${name} ${help}`.toLowerCase().includes(search.toLowerCase()),
  );
  return (
    <>
      <PageHead title="Metrics">
        What <code>/metrics</code> of the administration listener counts, for Prometheus with the administration token
        as bearer token. Rates and charts begin when the console is opened.
      </PageHead>
      <History name={chosen} readings={readings} />
      <Field label="Search">
        {(ids) => (
          <input
            {...ids}
            type="search"
            placeholder="Part of a name or description"
            value={search}
            onChange={({ target }) => setSearch(target.value)}
          />
        )}
      </Field>
      <section className="card" aria-label="All metrics">
        {latest !== undefined && families.length === 0 && <Empty title="No metric fits">Look for less.</Empty>}
        <div className="scroll">
          <table>
            <thead>
              <tr>
                <th>Metric</th>
                <th>Labels</th>
                <th className="number">Value</th>
                <th className="number">Per second</th>
              </tr>
            </thead>
            <tbody>
              {families.map((family) => (
                <FamilyRows
                  key={family.name}
                  family={family}
                  before={readings.at(-2)}
                  seconds={secondsBetween(readings)}
                  onChoose={() => setChosen(family.name)}
                />
              ))}
            </tbody>
          </table>
        </div>
      </section>
    </>
  );
}

interface FamilyRowsProps {
  readonly family: Family;
  readonly before: Reading | undefined;
  readonly seconds: number;
  readonly onChoose: () => void;
}

function FamilyRows({ family, before, seconds, onChoose }: FamilyRowsProps) {
  const shown = shownSamples(family);
  const isCounter = family.type !== "gauge";
  const rows = shown.length === 0 ? [null] : shown;
  return rows.map((sample, index) => {
    const past = sample === null ? undefined : before?.samples(sample.name).find((other) => sameLabels(other, sample));
    const rate = sample === null || past === undefined || !isCounter ? null : (sample.value - past.value) / seconds;
    return (
      <tr key={sample === null ? "none" : `${sample.name}${JSON.stringify(sample.labels)}`}>
        <td>
          {index === 0 && (
            <>
              <button type="button" className="link mono" onClick={onChoose}>
                {family.name}
              </button>
              <div className="small soft">{family.help}</div>
            </>
          )}
        </td>
        <td className="mono small">{sample === null ? "" : labelsOf(sample, family)}</td>
        <td className="number">{sample === null ? "–" : valueOf(family.name, sample.value)}</td>
        <td className="number">{rate === null || rate < 0 ? "" : formatNumber(rate)}</td>
      </tr>
    );
  });
}

/** Of a histogram count and sum; its buckets are for Prometheus. */
function shownSamples({ type, samples }: Family): readonly Sample[] {
  return type === "histogram" ? samples.filter(({ name }) => !name.endsWith("_bucket")) : samples;
}

function labelsOf({ name, labels }: Sample, family: Family): string {
  const suffix = name.slice(family.name.length).replace("_", "");
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${value}`);
  return [suffix, ...pairs].filter((part) => part !== "").join(" ");
}

const sameLabels = (one: Sample, other: Sample): boolean => JSON.stringify(one.labels) === JSON.stringify(other.labels);

const secondsBetween = (readings: readonly Reading[]): number =>
  ((readings.at(-1)?.at ?? 1000) - (readings.at(-2)?.at ?? 0)) / 1000;

function valueOf(name: string, value: number): string {
  if (name.endsWith("_bytes") || name.endsWith("_bytes_total")) return formatBytes(value);
  return formatNumber(value);
}

/** The chosen metric over the last minutes: a counter as growth per second. */
function History({ name, readings }: { readonly name: string; readonly readings: readonly Reading[] }) {
  const family = readings.at(-1)?.families.find((one) => one.name === name);
  if (family === undefined) return null;
  const isGauge = family.type === "gauge";
  const counted = family.type === "histogram" ? `${name}_count` : name;
  const labelled = shownSamples(family)
    .filter((sample) => sample.name === counted)
    .slice(0, colours.length);
  const values = labelled.map((sample) =>
    readings.map((reading, index) => {
      const at = (one: Reading | undefined): number | undefined =>
        one?.samples(sample.name).find((other) => sameLabels(other, sample))?.value;
      const [now, past] = [at(reading), at(readings[index - 1])];
      if (now === undefined) return null;
      if (isGauge) return now;
      const seconds = (reading.at - (readings[index - 1]?.at ?? 0)) / 1000;
      return past === undefined || now < past ? null : (now - past) / seconds;
    }),
  );
  const unit = isGauge ? "" : "/s";
  const format = name.includes("bytes")
    ? (value: number): string => `${formatBytes(value)}${unit}`
    : (value: number): string => `${formatCompact(value)}${unit}`;
  return (
    <Chart
      title={family.help.replace(/\.$/, "")}
      times={readings.map(({ at }) => at / 1000)}
      format={format}
      series={labelled.map((sample, index) => ({
        label: labelsOf(sample, family) || "Value",
        colour: colours[index] ?? "--soft",
        values: values[index] ?? [],
      }))}
    />
  );
}
