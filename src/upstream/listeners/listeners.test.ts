import { expect, test } from "bun:test";
import { FakeTime } from "../../../tests/support/fake-time.ts";
import { Inbox } from "../../../tests/support/inbox.ts";
import { createHarness, eventName } from "../../../tests/support/upstream-harness.ts";
import type { HeardEvent } from "./audience.ts";
import { createEventListeners } from "./listeners.ts";
import type { EventListenerSettings, ListenersSettings } from "./settings.ts";
import type { EventSink, SendFailure } from "./sink.ts";

const listener = (url: string, pattern = "*"): EventListenerSettings => ({
  filter: { systemEvents: [], userEventPattern: pattern },
  endpoint: { type: "HttpBatch", url, auth: { type: "None" } },
});
const heard = (event: string): HeardEvent => ({
  kind: "user",
  event,
  id: 1,
  timeMs: 0,
  connectionState: null,
  metadata: null,
  payload: () => ({ contentType: "text/plain", body: event }),
});

/** Listeners whose sinks tell the test what happens to them; those of `down` take nothing. */
function createListeners(defaultHub: readonly EventListenerSettings[]) {
  const time = new FakeTime();
  const news = new Inbox<string>();
  const down = new Set<string>();
  const lines = new Inbox<string>();
  const of = (list: readonly EventListenerSettings[]): ListenersSettings => ({ hubs: new Map(), defaultHub: list });
  const listeners = createEventListeners({
    settings: of(defaultHub),
    clock: time,
    scheduler: time,
    telemetry: {
      log: (_level, event) => lines.push(event),
      listenerSent: () => undefined,
      listenerLost: () => undefined,
    },
    createSink(endpoint): EventSink {
      const name = endpoint.type === "HttpBatch" ? endpoint.url : endpoint.type;
      return {
        name,
        send(events): Promise<readonly SendFailure[]> {
          if (down.has(name)) return Promise.resolve([{ kind: "unavailable", events, reason: "down" }]);
          news.push(`${name} ${events.map(({ event }) => event).join(",")}`);
          return Promise.resolve([]);
        },
        close() {
          news.push(`${name} closed`);
          return Promise.resolve();
        },
      };
    },
  });
  const source = createHarness({ handlers: [] }).source();
  return {
    listeners,
    time,
    down,
    lines,
    reload: (list: readonly EventListenerSettings[]) => listeners.reload(of(list)),
    tell: (event: string) => listeners.tell(source, heard(eventName(event))),
    told: async () => await news.take({ what: "news of a sink" }),
  };
}

test("E-83 each matching listener is told, and tells whether there was one", async () => {
  const { tell, told } = createListeners([listener("http://a", "one"), listener("http://b", "ONE,two")]);
  expect([tell("one"), tell("none")]).toEqual([true, false]);
  expect([await told(), await told()].toSorted()).toEqual(["http://a one", "http://b one"]);
});

test("a reload keeps an unchanged listener wherever it stands, with what it has queued", async () => {
  const { tell, told, reload, down, lines, time } = createListeners([listener("http://a"), listener("http://b")]);
  down.add("http://b");
  tell("one");
  expect(await told()).toBe("http://a one");
  await lines.take({ what: "log line" });
  reload([listener("http://b", "two")]);
  expect(await told()).toBe("http://a closed");
  tell("one");
  down.clear();
  await time.elapse(1000);
  expect(await told()).toBe("http://b one");
  tell("two");
  expect(await told()).toBe("http://b two");
});

test("a changed endpoint takes over the queue of the one in its place", async () => {
  const { tell, told, reload, down, lines } = createListeners([listener("http://a")]);
  down.add("http://a");
  tell("one");
  await lines.take({ what: "log line" });
  reload([listener("http://b")]);
  const news = [await told(), await told()];
  expect(news.toSorted()).toEqual(["http://a closed", "http://b one"]);
});

test("a removed listener delivers what it has; when the drain time is over it is closed", async () => {
  const { listeners, tell, told, reload, down, lines, time } = createListeners([listener("http://a")]);
  down.add("http://a");
  tell("one");
  await lines.take({ what: "log line" });
  reload([]);
  expect(tell("two")).toBe(false);
  await time.elapse(10_000);
  expect(await told()).toBe("http://a closed");
  expect(listeners.stats.events).toBe(0);
});

test("a listener in trouble writes one line a minute", async () => {
  const { tell, down, lines, time } = createListeners([listener("http://a")]);
  down.add("http://a");
  tell("one");
  for (const seconds of [1, 2, 4, 8, 16]) await time.elapse(seconds * 1000);
  expect(lines.untaken).toEqual(["EventListenerUnavailable"]);
  for (const seconds of [32, 60]) await time.elapse(seconds * 1000);
  await time.elapse(60_000);
  expect(lines.untaken.length).toBeGreaterThan(1);
});
