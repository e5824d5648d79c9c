import { expect } from "vitest";
import { eventually } from "../../support/eventually.ts";
import type { WebhookReceiver } from "../../support/webhook-receiver.ts";
import type { Console } from "./console.ts";
import { order } from "./orders.ts";
import { refuseText } from "./refuse-text.ts";

/** The ids of what a stack holds after `fill`. */
export type Sample = {
  event: string;
  deadLetter: string;
  subscription: string;
  key: string;
  replay: string;
  export: string;
};

const SHOPS = ["/shop/berlin", "/shop/lyon", "/shop/porto"];
const CURRENCIES = ["EUR", "GBP", "SEK", "CHF"];

/** Fills a stack with something on every screen: orders and readings, two causes of dead letters, refusals, a sink that fails, jobs. */
export async function fill({ call, runtime }: Console, receiver: WebhookReceiver): Promise<Sample> {
  receiver.answer(({ body }) => (body.includes("lyon") ? 503 : 204));
  const subscription = await call<{ id: string }>("POST", "/subscriptions", {
    name: "billing",
    filter: { exact: { type: "com.example.order.placed" } },
    sink: { type: "webhook", url: receiver.url },
  });
  const key = await call<{ id: string }>("POST", "/keys", {
    tenant: "default",
    role: "producer",
    name: "checkout, production",
  });
  await refuseText(runtime, "cust-13", "unsupported Unicode escape sequence");
  const accept = await refuseText(runtime, "SEK-blocked");

  const orders = Array.from({ length: 140 }, (_, at) =>
    order(`order-${String(1_000 + at)}`, {
      source: SHOPS[at % SHOPS.length],
      subject: `cust-${at % 17}`,
      data: {
        customerId: `cust-${at % 17}`,
        currency: CURRENCIES[at % CURRENCIES.length],
        items: [{ sku: `tea-${at % 9}`, quantity: 1 + (at % 4), unitAmount: 350 + 25 * (at % 11) }],
        ...(at % 5 === 0 && { voucher: "SPRING" }),
      },
    }),
  );
  const others = Array.from({ length: 60 }, (_, at) => ({
    id: `reading-${at}`,
    source: `/sensor/${at % 4}`,
    type: "com.example.meter.read",
    subject: `meter-${at % 4}`,
    data: {
      celsius: 18.25 + (at % 7),
      at: `2030-01-01T00:${String(at).padStart(2, "0")}:00Z`,
      note: at === 7 ? "SEK-blocked" : "ok",
    },
  }));
  await call("POST", "/events", [...orders, ...others]);
  const faulty = [
    order("bad-1", { data: { currency: "euro" } }),
    order("bad-2", { data: { items: [] } }),
    order("bad-3", { data: { currency: 5 } }),
  ];
  for (const event of faulty) await call("POST", "/events", event).catch(() => undefined);

  const count = async (sql: string) => Number((await runtime.query(sql))[0]?.["count"]);
  const refused = orders.filter(({ subject }) => subject === "cust-13").length + 1;
  await eventually(
    () => count("select count(*) from dead_letters where state = 'open'"),
    (found) => found === refused,
  );
  await eventually(
    () => count("select count(*) from events"),
    (found) => found === orders.length + others.length - refused,
  );
  await accept();
  const [meter] = await runtime.query("select id from dead_letters where source like '/sensor%'");
  const replay = await call<{ id: string }>("POST", "/replays", { ids: [meter?.["id"]], limit: 1 });
  const exported = await call<{ id: string }>("POST", "/exports", {
    filter: { prefix: { source: "/shop/" } },
    format: "ndjson",
  });
  await eventually(
    () => call<{ state: string }>("GET", `/exports/${exported.id}`),
    ({ state }) => state === "done",
  );
  await eventually(
    () => call<{ outcomes?: { stored?: number }; state: string }>("GET", `/replays/${replay.id}`),
    ({ state }) => state === "done",
  );
  const [deadLetter] = await runtime.query("select id from dead_letters where state = 'open' order by id limit 1");
  await eventually(
    () => receiver.received.length,
    (received) => received > 20,
  );
  expect(deadLetter).toBeDefined();
  return {
    event: `order-1042/${encodeURIComponent("/shop/berlin")}`,
    deadLetter: String(deadLetter?.["id"]),
    subscription: subscription.id,
    key: key.id,
    replay: replay.id,
    export: exported.id,
  };
}

/** Every screen, and what opens on it, by the name of its picture. */
export const screensOf = (sample: Sample): Readonly<Record<string, string>> => ({
  overview: "#/overview",
  events: "#/events",
  event: `#/events/${sample.event}`,
  types: "#/types",
  type: "#/types/com.example.order.placed",
  live: "#/live",
  send: "#/send?type=com.example.order.placed",
  refusals: "#/refusals",
  "dead-letters": "#/dead-letters",
  "dead-letter": `#/dead-letters/${sample.deadLetter}?edit=1`,
  jobs: "#/jobs/replays",
  job: `#/jobs/exports/${sample.export}`,
  subscriptions: "#/subscriptions",
  subscription: `#/subscriptions/${sample.subscription}`,
  "new-subscription": "#/subscriptions/new",
  keys: "#/keys",
  key: `#/keys/${sample.key}`,
  audit: "#/audit",
});
