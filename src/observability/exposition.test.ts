import { expect, test } from "bun:test";
import * as prometheus from "prom-client";
import { formatExposition, Histogram } from "./exposition.ts";

/** The widely used client library separates families by an empty line; otherwise the texts must be equal. */
async function reference(registry: prometheus.Registry): Promise<string> {
  return (await registry.metrics()).replaceAll("\n\n", "\n");
}

test("counters and gauges are written as prom-client writes them", async () => {
  const registry = new prometheus.Registry();
  const requests = new prometheus.Counter({
    name: "requests_total",
    help: 'A\nhelp \\ "text".',
    labelNames: ["a", "b"],
    registers: [registry],
  });
  requests.inc({ a: 'quote " back \\ line \n end', b: "é" }, 3);
  requests.inc({ a: "", b: "2" }, 0.1 + 0.2);
  const level = new prometheus.Gauge({ name: "level", help: "Level.", registers: [registry] });
  level.set(Infinity);
  const families = [
    {
      name: "requests_total",
      help: 'A\nhelp \\ "text".',
      type: "counter",
      samples: [
        { labels: { a: 'quote " back \\ line \n end', b: "é" }, value: 3 },
        { labels: { a: "", b: "2" }, value: 0.1 + 0.2 },
      ],
    },
    { name: "level", help: "Level.", type: "gauge", samples: [{ value: Infinity }] },
  ] as const;
  expect(formatExposition(families)).toBe(await reference(registry));
});

test("histograms are written as prom-client writes them, bounds included", async () => {
  const registry = new prometheus.Registry();
  const buckets = [0.1, 0.5, 1, 5];
  const expected = new prometheus.Histogram({
    name: "seconds",
    help: "Time.",
    labelNames: ["category"],
    buckets,
    registers: [registry],
  });
  const histogram = new Histogram(buckets);
  for (const value of [0, 0.05, 0.1, 0.100001, 0.5, 0.75, 1, 4.999, 5, 5.001, 1000]) {
    expected.observe({ category: "HealthCheck" }, value);
    histogram.observe(value);
  }
  const samples = histogram.samples({ category: "HealthCheck" });
  expect(formatExposition([{ name: "seconds", help: "Time.", type: "histogram", samples }])).toBe(
    await reference(registry),
  );
});

test("infinite and undefined values have the names of the format", () => {
  const samples = [{ value: -Infinity }, { value: Number.NaN }];
  expect(formatExposition([{ name: "x", help: "h", type: "gauge", samples }])).toBe(
    "# HELP x h\n# TYPE x gauge\nx -Inf\nx NaN\n",
  );
});
