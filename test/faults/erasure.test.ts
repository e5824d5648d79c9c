import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect } from "vitest";
import type { schemas } from "../../functions/core/answer.ts";
import { eventually } from "../support/eventually.ts";
import { call } from "../support/http.ts";
import { startHttpSink, type HttpSink } from "../support/http-sink.ts";
import { daysAgo } from "../support/retention.ts";
import { everything, placesOf } from "./support/everything.ts";
import { faultCase, type FaultScenario } from "./support/fault-case.ts";
import { type FaultStack, startFaultStack } from "./support/fault-stack.ts";
import { retainedDays } from "./support/retained-days.ts";

type Erasure = ReturnType<typeof schemas.Erasure.parse>;

const PATIENCE_MS = 120_000;
const CANARY = `canary${randomBytes(6).toString("hex")}`;
const TYPE = "com.example.canary";
/** Events by the place to which they come: rows, the archive, dead letters, samples of refusals, the queue; 1,000 together. */
const ROWS = 700;
const ARCHIVED = 100;
const DEAD = 50;
const REFUSED = 50;
const QUEUED = 100;
const OTHERS = 40;
/** Its retention is over. */
const AGE = 10;

let stack: FaultStack;
let sink: HttpSink;
let days: Awaited<ReturnType<typeof retainedDays>>;
beforeAll(async () => {
  // It answers with the events.
  sink = await startHttpSink({ takes: (response, { body }) => response.end(body) });
  stack = await startFaultStack({ archives: true, visibilitySeconds: 6, maxReceiveCount: 30 });
  days = await retainedDays(() => stack);
  await stack.ask("alter table events add constraint no_refused check (data -> 'refused' is null) not valid");
});
afterAll(async () => {
  await stack?.remove();
  await sink?.stop();
});

async function request<Answer>(path: string, body?: unknown): Promise<Answer> {
  const headers = { "content-type": "application/json" };
  const init = body === undefined ? {} : { method: "POST", headers, body: JSON.stringify(body) };
  const response = await call(`${stack.addresses.url}${path}`, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text) as Answer;
}

async function post(events: object[]): Promise<void> {
  for (let at = 0; at < events.length; at += 100) await request("/events", events.slice(at, at + 100));
}

const whenDone = <Job extends { state: string }>(path: string) =>
  eventually(
    () => request<Job>(path),
    ({ state }) => !["queued", "waiting", "running"].includes(state),
    PATIENCE_MS,
  );

/** Events from a number on, each with the canary and its number in every text. */
const marked = (from: number, count: number, data: object = {}) =>
  Array.from({ length: count }, (_, at) => {
    const text = `${CANARY}-${String(from + at).padStart(4, "0")}`;
    const texts = { text, names: { [text]: [text] }, ...data };
    return { id: text, source: `/${text}`, type: TYPE, subject: CANARY, data: texts, note: text };
  });

const counted = (sql: string, isEnough: (count: number) => boolean) =>
  eventually(
    async () => Number((await stack.ask<{ n: string }>(`select count(*) as n from ${sql}`))[0]?.n),
    isEnough,
    PATIENCE_MS,
  );

/** Keeps events in the queue that are accepted from now on, until the faults are changed. */
async function holdQueue(scenario: FaultScenario): Promise<void> {
  stack.sqs.setFaults({ kind: "unavailable", action: "ReceiveMessage", queue: stack.queue.name });
  // Polls that are open already end with the next message.
  await scenario.deliver(scenario.events(1));
  await scenario.atRest();
}

faultCase(
  "F50",
  "an erasure of 1,000 events whose strings are in tables, archive, exports, dead letters, deliveries, refusals and queue",
  () => stack,
  async (scenario) => {
    const subscription = await request<{ id: string }>("/subscriptions", {
      name: "c",
      filter: { exact: { type: TYPE } },
      sink: { type: "webhook", url: sink.url },
      batch: 50,
    });
    const rows = marked(0, ROWS);
    const archived = marked(ROWS, ARCHIVED);
    const dead = marked(ROWS + ARCHIVED, DEAD, { refused: true });
    const refused = marked(ROWS + ARCHIVED + DEAD, REFUSED).map(({ type: _type, ...event }) => event);
    const queued = marked(ROWS + ARCHIVED + DEAD + REFUSED, QUEUED);
    const day = daysAgo(AGE);
    await days.put(
      AGE,
      archived.map((event) => ({ ...event, time: `${day}T12:00:00.000Z` })),
    );
    await counted("events where retention = 7", (n) => n === ARCHIVED);
    await days.run();
    await days.dropped(AGE);
    const beside = await request<{ id: string }>("/restores", { from: day, to: day, into: "beside" });
    await post(rows);
    await post(dead);
    await scenario.deliver(scenario.events(OTHERS));
    const headers = { "content-type": "application/json" };
    await call(`${stack.addresses.url}/events`, { method: "POST", headers, body: JSON.stringify(refused) });
    await counted("events", (n) => n >= ROWS + OTHERS);
    await counted("dead_letters", (n) => n === DEAD);
    await counted(
      `deliveries where subscription_id = '${subscription.id}' and state = 'delivered'`,
      (n) => n >= ROWS + ARCHIVED,
    );
    const exports = [await request<{ id: string }>("/exports", {})];
    exports.push(await request<{ id: string }>("/exports", { format: "csv", select: ["id", "data"] }));
    for (const { id } of exports) expect(await whenDone(`/exports/${id}`)).toMatchObject({ state: "done" });
    expect(await whenDone(`/restores/${beside.id}`)).toMatchObject({ state: "done", restored: ARCHIVED });
    await holdQueue(scenario);
    await post(queued);

    // The refusals are counted last.
    const before = await eventually(
      async () => placesOf(await everything(stack), CANARY),
      (places) => places.some((place) => place.startsWith("table ")),
      PATIENCE_MS,
    );
    const kinds = [
      "events_",
      "event_keys_",
      "dead_letters",
      "delivery_attempts",
      "restored_",
      "rollup",
      "queue ",
      "object archive/",
      "object exports/",
    ];
    for (const kind of kinds) expect([kind, ...before.filter((place) => place.startsWith(kind))]).not.toEqual([kind]);

    const asked = { subject: CANARY, reason: "Request 4711", suppress: "forever" };
    const plan = await request<{ planned: object }>("/erasures", { ...asked, dryRun: true });
    const { id } = await request<Erasure>("/erasures", asked);
    const erased = await whenDone<Erasure>(`/erasures/${id}`);
    await scenario.heal();
    await scenario.atRest();
    await stack.recorded();

    expect(plan).toMatchObject({
      planned: { events: ROWS, restored: ARCHIVED, deadLetters: DEAD, exports: 2, archive: 1 },
    });
    expect(erased).toMatchObject({
      state: "done",
      receipt: {
        counts: {
          events: ROWS,
          restored: ARCHIVED,
          deadLetters: DEAD,
          exports: 2,
          archive: 1,
          keys: ROWS + ARCHIVED + DEAD,
        },
      },
    });
    expect(erased.receipt?.counts.deliveries).toBeGreaterThanOrEqual(ROWS);
    expect(erased.receipt?.counts.refusals).toBeGreaterThan(0);
    expect(placesOf(await everything(stack), CANARY)).toEqual([]);

    await post([...rows, ...archived, ...dead.map((event) => ({ ...event, data: {} })), ...queued]);
    await scenario.atRest();
    await stack.recorded();

    expect(await stack.ask("select id from events where type = $1", [TYPE])).toEqual([]);
    expect(placesOf(await everything(stack), CANARY)).toEqual([]);
    scenario.note(`${before.length} tables, objects, items and messages had the strings, and none behind it`);
  },
  { erases: true },
);

/** Behind the rules, the dead letters, the files of the archive, and the deliveries: the statement is done, and its answer lost. */
const KILLED_BEHIND = [1, 3, 5, 7];

faultCase(
  "F51",
  "an erasure whose function is killed behind its statements",
  () => stack,
  async (scenario) => {
    const subject = `${CANARY}-killed`;
    const of = (from: number, count: number, data: object = {}) =>
      marked(from, count, data).map((event) => ({ ...event, subject }));
    await post(of(2_000, 60));
    await post(of(2_100, 5, { refused: true }));
    await scenario.deliver(scenario.events(OTHERS));
    await counted(`events where subject = '${subject}'`, (n) => n === 60);
    await counted("dead_letters", (n) => n === 5);
    await counted("deliveries where state = 'pending'", (n) => n === 0);
    let kills = 0;
    stack.failpoints.order(async ({ functionName, point, count }) => {
      if (functionName !== "retain" || point !== "afterErase" || !KILLED_BEHIND.includes(count)) return "go";
      kills += 1;
      // It would end with the time of the function, minutes later.
      await stack.ask("update erasures set lease_until = clock_timestamp() where lease_until is not null");
      return "kill";
    });

    const { id } = await request<Erasure>("/erasures", { subject, reason: "Request 4712" });
    const erased = await whenDone<Erasure>(`/erasures/${id}`);
    await scenario.heal();

    expect(kills).toBe(KILLED_BEHIND.length);
    expect(erased).toMatchObject({
      state: "done",
      receipt: { counts: { events: 60, deadLetters: 5, deliveries: 60, keys: 65 }, rollupDeltas: 60 },
    });
    expect(placesOf(await everything(stack), subject)).toEqual([]);
    scenario.note(`${kills} kills`);
  },
  { erases: true },
);
