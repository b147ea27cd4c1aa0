// The log of a web shop that does not exist, for something to look at.
import { setTimeout as delay } from "node:timers/promises";
import { type Level, type LogLine, logLine } from "./lines.ts";

/** One line of a scene, so many milliseconds after the scene began. */
type Step = readonly [afterMs: number, level: Level, source: string, text: string];

const pick = <T>(items: readonly [T, ...T[]]): T => items[Math.floor(Math.random() * items.length)] ?? items[0];
const between = (least: number, most: number): number => Math.floor(least + Math.random() * (most - least + 1));
const hex = (): string => between(0x10000000, 0xffffffff).toString(16);

const products = [
  "espresso machine",
  "desk lamp",
  "rain jacket",
  "trail shoes",
  "notebook A5",
  "pour-over set",
] as const;
const searches = ["lamp", "jacket waterproof", "coffee grinder", "zażółć", "gift under 20"] as const;

function browse(): Step[] {
  const [request, product, took] = [hex(), between(100, 980), between(6, 90)];
  const isMiss = Math.random() < 0.3;
  return [
    [0, "debug", "gateway", `request=${request} route=/products/${product} upstream=catalog`],
    ...(isMiss ? ([[4, "debug", "catalog", `cache miss product=${product}, reading from database`]] as const) : []),
    [took, "info", "gateway", `GET /products/${product} 200 in ${took} ms request=${request}`],
  ];
}

function search(): Step[] {
  const [request, took] = [hex(), between(20, 640)];
  const terms = pick(searches);
  return [
    [took, "info", "search", `"${terms}" found ${between(0, 240)} products in ${took} ms`],
    ...(took > 400
      ? ([[took + 1, "warn", "search", `slow query "${terms}": ${took} ms, limit is 400 ms`]] as const)
      : []),
    [took + 3, "info", "gateway", `GET /search 200 in ${took + 3} ms request=${request}`],
  ];
}

function signIn(): Step[] {
  const user = between(1000, 9999);
  if (Math.random() < 0.25) {
    const attempt = between(2, 5);
    return [
      [0, "warn", "auth", `wrong password for user ${user}, attempt ${attempt} of 5 from 203.0.113.${between(1, 254)}`],
    ];
  }
  return [
    [0, "debug", "auth", `password of user ${user} verified in ${between(60, 110)} ms`],
    [2, "info", "auth", `session opened for user ${user}, expires in 12 h`],
  ];
}

function order(isProviderDown: boolean): Step[] {
  const [request, number, items] = [hex(), between(70_000, 99_999), between(2, 5)];
  const total = `€${between(12, 340)}.${between(10, 99)}`;
  const placed: Step[] = [
    [0, "info", "orders", `order ${number} placed: ${items} × ${pick(products)}, ${total} request=${request}`],
    [12, "debug", "stock", `reserved ${items} pieces for order ${number}`],
  ];
  if (isProviderDown) {
    return [
      ...placed,
      [900, "warn", "payments", `provider did not answer within 800 ms for order ${number}, attempt 1 of 2`],
      [
        1900,
        "error",
        "payments",
        `order ${number} not charged: connect ETIMEDOUT 198.51.100.20:443 request=${request}`,
      ],
      [1910, "info", "stock", `released ${items} pieces of order ${number}`],
      [1920, "error", "gateway", `POST /orders 502 in 1920 ms request=${request}`],
    ];
  }
  const took = between(80, 420);
  return [
    ...placed,
    [took, "info", "payments", `charged ${total} for order ${number}, authorisation ${hex()}`],
    [took + 5, "info", "gateway", `POST /orders 201 in ${took + 5} ms request=${request}`],
    [took + 600, "debug", "mailer", `confirmation of order ${number} queued`],
    [took + 1400, "info", "mailer", `confirmation of order ${number} accepted by mx.example.com`],
  ];
}

function housekeeping(): Step[] {
  return [
    pick<Step>([
      [0, "info", "jobs", `removed ${between(3, 60)} expired carts in ${between(9, 70)} ms`],
      [0, "info", "jobs", `sitemap rebuilt: ${between(9000, 9900)} pages`],
      [0, "debug", "stock", `inventory snapshot written, ${between(2, 6)}.${between(0, 9)} MB`],
      [0, "warn", "stock", `only ${between(2, 4)} pieces left of ${pick(products)}`],
      [0, "debug", "catalog", `connection pool: ${between(2, 9)} of 10 in use`],
    ]),
  ];
}

/** Now and then the shop's payment provider has a bad time. */
const outageEveryMs = 45_000;
const outageLastsMs = 7_000;

/** Lines without end, as they would come from a dozen processes. */
export async function* demoLog(): AsyncGenerator<LogLine> {
  let planned: LogLine[] = [];
  for (;;) {
    const now = Date.now();
    const isProviderDown = now % outageEveryMs < outageLastsMs;
    const scene = pick([browse, browse, browse, search, signIn, () => order(isProviderDown), housekeeping])();
    planned.push(
      ...scene.map(([afterMs, level, source, text]) => logLine({ time: now + afterMs, level, source, text })),
    );
    planned.sort((one, other) => one.time - other.time);
    yield* planned.filter(({ time }) => time <= now);
    planned = planned.filter(({ time }) => time > now);
    await delay(between(60, 320));
  }
}
