import { expect, test } from "bun:test";
import { meanBetween, parseExposition, perSecond, Reading } from "./metrics.ts";

const text = String.raw`# HELP connections Open "connections".
# TYPE connections gauge
connections{hub="a"} 3
connections{hub="quote \" slash \\ line \n end"} 4
# HELP seconds Duration.
# TYPE seconds histogram
seconds_bucket{le="0.1"} 1
seconds_bucket{le="+Inf"} 2
seconds_sum 1.5
seconds_count 2
# HELP nothing Nothing yet.
# TYPE nothing counter
nonsense
`;

test("the Prometheus text format is read: help, types, labels with escapes, infinities; the rest is passed over", () => {
  const families = parseExposition(text);
  expect(families.map(({ name, help, type }) => [name, help, type])).toEqual([
    ["connections", 'Open "connections".', "gauge"],
    ["seconds", "Duration.", "histogram"],
    ["nothing", "Nothing yet.", "counter"],
  ]);
  const reading = new Reading(0, families);
  expect(reading.samples("connections").map(({ labels, value }) => [labels["hub"], value])).toEqual([
    ["a", 3],
    ['quote " slash \\ line \n end', 4],
  ]);
  expect([reading.sum("connections"), reading.sum("seconds_count"), reading.sum("nothing")]).toEqual([7, 2, 0]);
  expect(parseExposition("x +Inf\ny -Inf")[0]?.samples[0]?.value).toBe(Infinity);
});

test("rates and means are those between two readings; none after a restart or without observations", () => {
  const at = (ms: number, count: number, sum: number): Reading =>
    new Reading(ms, parseExposition(`seconds_count ${count}\nseconds_sum ${sum}`));
  const [before, after] = [at(1000, 2, 1), at(3000, 6, 3)];
  expect(perSecond(before, after, "seconds_count")).toBe(2);
  expect(meanBetween(before, after, "seconds")).toBe(0.5);
  expect(perSecond(after, at(5000, 0, 0), "seconds_count")).toBeNull();
  expect(meanBetween(after, after, "seconds")).toBeNull();
});
