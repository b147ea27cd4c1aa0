import { expect, test } from "bun:test";
import { billedMessages } from "../core/billed-messages.ts";
import { Metrics } from "./metrics.ts";
import { readProcessUsage } from "./process-usage.ts";

function harness() {
  const state = { now: 1_000_000, cpuSeconds: 2, maxConnections: 0, suppressed: 0, timers: 0 };
  let tick = (): void => undefined;
  const metrics = new Metrics({
    clock: { now: () => state.now },
    scheduler: {
      afterTurn: (callback) => callback(),
      after: () => () => undefined,
      every(_, callback) {
        tick = callback;
        state.timers += 1;
        return () => {
          state.timers -= 1;
        };
      },
    },
    readProcessUsage: () => ({ cpuSeconds: state.cpuSeconds, residentBytes: 5_000_000, startedAt: 1000.5 }),
    maxConnections: () => state.maxConnections,
    reliableState: () => ({ detached: 3, messages: 40, bytes: 500 }),
    listenerQueues: () => ({ events: 2, bytes: 30 }),
    suppressedLogLines: () => state.suppressed,
    droppedTraceLines: () => 11,
  });
  /** The value of one series, or undefined. */
  const read = (series: string): number | undefined => {
    const line = metrics
      .render()
      .split("\n")
      .find((each) => each.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };
  return { metrics, state, read, tick: () => tick() };
}

test("M-45 an outbound message counts once per started 2 KiB", () => {
  expect([0, 1, 2048, 2049, 4096, 4097].map(billedMessages)).toEqual([0, 1, 1, 2, 2, 3]);
});

test("M-45 4 KiB to ten clients and to one handler are 22 messages", () => {
  const { metrics, read } = harness();
  metrics.outbound(10 * 4096, 10 * billedMessages(4096));
  metrics.outbound(4096, billedMessages(4096));
  expect(read("webpubsub_outbound_messages_total")).toBe(22);
  expect(read("webpubsub_outbound_traffic_bytes_total")).toBe(11 * 4096);
});

test("M-54 opening and closing move count, open and close counters", () => {
  const { metrics, read } = harness();
  metrics.connectionOpened("chat");
  metrics.connectionOpened("chat");
  metrics.connectionOpened("news");
  metrics.connectionClosed("chat", "PingTimeout");
  expect(read('webpubsub_total_connection_count{hub="chat"}')).toBe(1);
  expect(read('webpubsub_total_connection_count{hub="news"}')).toBe(1);
  expect(read('webpubsub_connection_open_total{hub="chat"}')).toBe(2);
  expect(read('webpubsub_connection_close_total{category="PingTimeout"}')).toBe(1);
  expect(read('webpubsub_connection_close_total{category="SlowClient"}')).toBe(0);
});

test("M-54 hubs beyond the hundredth share one label and are counted right when they close", () => {
  const { metrics, read } = harness();
  for (let i = 0; i < 150; i++) metrics.connectionOpened(`hub${i}`);
  expect(metrics.render().match(/^webpubsub_total_connection_count\{/gm)).toHaveLength(101);
  expect(read('webpubsub_total_connection_count{hub="other"}')).toBe(50);
  metrics.connectionClosed("hub149", "Normal");
  metrics.connectionClosed("hub0", "Normal");
  expect(read('webpubsub_total_connection_count{hub="other"}')).toBe(49);
  expect(read('webpubsub_total_connection_count{hub="hub0"}')).toBe(0);
});

test("the quota utilisation follows the quota in force", () => {
  const { metrics, state, read } = harness();
  const series = "webpubsub_connection_quota_utilization_percent";
  metrics.connectionOpened("chat");
  expect(read(series)).toBe(0);
  state.maxConnections = 4;
  expect(read(series)).toBe(25);
  metrics.connectionClosed("chat", "Normal");
  expect(read(series)).toBe(0);
});

test("M-55 REST latency is recorded per category, handshakes by client type and status", () => {
  const { metrics, read } = harness();
  metrics.rest("SendToGroup", 100);
  metrics.rest("SendToGroup", 700);
  metrics.rest("HealthCheck", 1);
  metrics.handshake(101, "WebPubSub");
  metrics.handshake(101, "WebPubSub");
  metrics.handshake(401, "MQTT");
  expect(read('webpubsub_rest_api_response_seconds_bucket{le="0.1",category="SendToGroup"}')).toBe(1);
  expect(read('webpubsub_rest_api_response_seconds_bucket{le="1",category="SendToGroup"}')).toBe(2);
  expect(read('webpubsub_rest_api_response_seconds_sum{category="SendToGroup"}')).toBeCloseTo(0.8);
  expect(read('webpubsub_rest_api_response_seconds_count{category="HealthCheck"}')).toBe(1);
  expect(read('webpubsub_client_request_total{client_type="WebPubSub",status="101"}')).toBe(2);
  expect(read('webpubsub_client_request_total{client_type="MQTT",status="401"}')).toBe(1);
});

test("traffic, event handler requests, dropped notifications and suppressed lines are counted", () => {
  const { metrics, state, read } = harness();
  metrics.inbound(10);
  metrics.inbound(5);
  metrics.webhook("succeeded", 20);
  metrics.webhook("timedOut", 100_000);
  metrics.notificationDropped();
  state.suppressed = 7;
  expect(read("webpubsub_inbound_traffic_bytes_total")).toBe(15);
  expect(read('webpubsub_event_handler_requests_total{outcome="timedOut"}')).toBe(1);
  expect(read("webpubsub_event_handler_response_seconds_count")).toBe(2);
  expect(read("webpubsub_notifications_dropped_total")).toBe(1);
  expect(read("webpubsub_log_lines_suppressed_total")).toBe(7);
  expect(read("webpubsub_live_trace_lines_dropped_total")).toBe(11);
  expect(read("process_resident_memory_bytes")).toBe(5_000_000);
});

test("the server load is the CPU time since the last reading that is at least a second old", () => {
  const { state, read } = harness();
  const series = "webpubsub_server_load_percent";
  expect(read(series)).toBe(0);
  state.now += 10_000;
  state.cpuSeconds += 2.5;
  expect(read(series)).toBe(25);
  state.now += 10;
  state.cpuSeconds += 1;
  expect(read(series)).toBe(25);
  state.now += 9990;
  expect(read(series)).toBe(10);
});

test("a timer that fires late is event loop lag; stopping ends the timer", () => {
  const { metrics, state, read, tick } = harness();
  state.now += 500;
  tick();
  state.now += 700;
  tick();
  expect(read("webpubsub_event_loop_lag_seconds_count")).toBe(2);
  expect(read("webpubsub_event_loop_lag_seconds_sum")).toBeCloseTo(0.2);
  metrics.stop();
  expect(state.timers).toBe(0);
});

test("a scrape is answered in the text format, with unique names and series", async () => {
  const { metrics } = harness();
  metrics.connectionOpened("chat");
  const response = metrics.response();
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const lines = (await response.text()).trimEnd().split("\n");
  const names = lines.filter((line) => line.startsWith("# TYPE"));
  const series = lines.filter((line) => !line.startsWith("#")).map((line) => line.slice(0, line.lastIndexOf(" ")));
  expect(names.length).toBeGreaterThan(15);
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(series).size).toBe(series.length);
});

test("the usage of this process is read in seconds and bytes", () => {
  const usage = readProcessUsage();
  expect(usage.cpuSeconds).toBeGreaterThan(0);
  expect(usage.cpuSeconds).toBeLessThan(3600);
  expect(usage.residentBytes).toBeGreaterThan(1_000_000);
  expect(usage.startedAt).toBeLessThanOrEqual(Date.now() / 1000);
});

test("what is kept for reliable clients can be read", () => {
  const { read } = harness();
  expect(read("webpubsub_detached_connection_count")).toBe(3);
  expect(read("webpubsub_replay_messages")).toBe(40);
  expect(read("webpubsub_replay_bytes")).toBe(500);
});

test("E-87 listeners are counted by kind of endpoint and outcome, their queues shown", () => {
  const { metrics } = harness();
  metrics.listener("Kafka", "sent", 3);
  metrics.listener("Kafka", "dropped", 2);
  metrics.listener("Nats", "failed", 1);
  const text = metrics.render();
  expect(text).toContain('webpubsub_listener_sent_total{type="Kafka"} 3');
  expect(text).toContain('webpubsub_listener_dropped_total{type="Kafka"} 2');
  expect(text).toContain('webpubsub_listener_failed_total{type="Nats"} 1');
  expect(text).toContain("webpubsub_listener_queue_events 2");
  expect(text).toContain("webpubsub_listener_queue_bytes 30");
});
