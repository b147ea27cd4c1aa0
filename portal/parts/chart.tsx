import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface Series {
  readonly label: string;
  /** A custom property of the style sheet, such as `--accent`. */
  readonly colour: string;
  /** One value per time; null where there is none. */
  readonly values: readonly (number | null)[];
}

export interface ChartProps {
  readonly title: string;
  /** Seconds since the epoch. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  /** The figure beside the title; the last value of the first series by default. */
  readonly figure?: string;
}

const height = 150;
/** Charts start with a window of this length, so that the first points do not fill it. */
const shortestSeconds = 120;
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/** Lines over time that grow while the page is open; the latest figure stands beside the title as text. */
export function Chart({ title, times, series, format, figure }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = series[0]?.values.at(-1) ?? null;
  const labels = series.map(({ label }) => label).join();
  const data = (): uPlot.AlignedData => [[...times], ...series.map(({ values }) => [...values])];

  useEffect(() => {
    const parent = box.current;
    if (parent === null) return;
    const build = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(options(parent, series, format), data(), parent);
    };
    build();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: parent.clientWidth, height }));
    resized.observe(parent);
    // Colours are read from the style sheet when the chart is made.
    const themed = new MutationObserver(build);
    themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", build);
    return () => {
      resized.disconnect();
      themed.disconnect();
      scheme.removeEventListener("change", build);
      plot.current?.destroy();
      plot.current = null;
    };
    // Data comes by setData below; a chart is made anew only for other series.
  }, [labels]);

  useEffect(() => plot.current?.setData(data()), [times, series]);

  return (
    <section className="card" aria-label={title}>
      <header>
        <h3>{title}</h3>
        <span className="actions figure">{figure ?? (latest === null ? "–" : format(latest))}</span>
      </header>
      <div className="chart" ref={box} aria-hidden="true" />
    </section>
  );
}

function options(parent: HTMLElement, series: readonly Series[], format: (value: number) => string): uPlot.Options {
  const styles = getComputedStyle(parent);
  const probe = document.createElement("span");
  parent.append(probe);
  // light-dark() is resolved only where a property uses it.
  const colour = (name: string): string => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const soft = colour("--soft");
  const grid = { stroke: colour("--line"), width: 1 };
  const font = `12px ${styles.fontFamily}`;
  const lines = series.map((line) => ({
    label: line.label,
    stroke: colour(line.colour),
    width: 2,
    points: { show: false },
    value: (_: uPlot, value: number | null) => (value === null ? "–" : format(value)),
  }));
  probe.remove();
  return {
    width: parent.clientWidth,
    height,
    legend: { show: series.length > 1, live: false },
    cursor: { y: false },
    scales: {
      x: { range: (_, min, max) => [Math.min(min, max - shortestSeconds), max] },
      y: { range: (_, min, max) => [Math.min(0, min ?? 0), Math.max(max ?? 0, 1)] },
    },
    axes: [
      {
        stroke: soft,
        grid: { show: false },
        ticks: { show: false },
        font,
        size: 28,
        space: 80,
        values: (_, ticks) => ticks.map((seconds) => clock.format(seconds * 1000)),
      },
      { stroke: soft, grid, ticks: { show: false }, font, size: 64, values: (_, ticks) => ticks.map(format) },
    ],
    series: [{}, ...lines],
  };
}
