import * as fc from "fast-check";
import parse from "parse-prometheus-text-format";
import { describe, expect, it } from "vitest";
import { createAskForLedger } from "../../functions/core/ask-for-ledger.ts";
import { askBehindBatch } from "../../functions/core/ask-behind-batch.ts";
import type { BatchOutcome } from "../../functions/core/batch.ts";
import { DatabaseError } from "../../functions/core/errors.ts";
import { STATUS_TIMEOUT_SECONDS, STATUS_WINDOW_SECONDS } from "../../functions/core/function-limits.ts";
import { newProducerId } from "../../functions/core/producer-id.ts";
import type { ReceivedMessage } from "../../functions/core/queue-message.ts";
import { STATUS_VISIBILITY_SECONDS } from "../../functions/core/queue-limits.ts";
import { createNumbering } from "../../functions/ingest/number-events.ts";
import { createReadHistory } from "../../functions/status/history.ts";
import { createKeepHistory } from "../../functions/status/keep-history.ts";
import { toMetricsText } from "../../functions/status/metrics-text.ts";
import { createRunMessages } from "../../functions/status/run-messages.ts";
import { createStatus } from "../../functions/status/status.ts";
import { createTakeLedger } from "../../functions/status/take-ledger.ts";
import { memoryHistory } from "../support/memory-history.ts";
import { memoryLedgerTable } from "../support/memory-ledger-table.ts";
import { depths, memoryDatabase, NOW } from "../unit/status/support.ts";

const SECOND = 1_000;
const SCRAPE_SECONDS = 15;
const SCRAPES_OF_AN_HOUR = 3_600 / SCRAPE_SECONDS;

/** The longest time from the last change of the ledger to the snapshot of it: the rest of its minute, and the event source. */
const SNAPSHOT_SECONDS = 62 + 2 * STATUS_WINDOW_SECONDS;

/** The second look at events in flight, behind that. */
const LOOK_AGAIN_SECONDS = 200 + 2 * STATUS_WINDOW_SECONDS;

/** The pause between two tries of a database that does not answer. */
const RETRY_SECONDS = 300 + 2 * STATUS_WINDOW_SECONDS;

/** Requests of one event each, in seconds from the beginning: when it is sent, and when it is stored; never where that is missing. */
type Traffic = { sentAt: number; storedAt?: number | undefined }[];

/** Times in seconds at which something does not answer. */
type Faults = { database?: [from: number, to: number]; sqs?: [from: number, to: number] };

/**
 * The functions that have a part in the ledger, with their real rules, in virtual time: ingest numbers events, a consumer stores them and
 * asks for snapshots, status takes them, and a scraper reads. Every second the timers, messages and requests that are due run.
 */
function installation(traffic: Traffic, { database: outage = [0, 0], sqs: silence = [0, 0] }: Faults = {}) {
  const time = { now: NOW };
  const clock = () => new Date(time.now);
  const isIn = ([from, to]: [number, number]) => time.now >= NOW + from * SECOND && time.now < NOW + to * SECOND;
  const database = memoryDatabase(() => time.now);
  const calls: number[] = [];
  const [table, history] = [memoryLedgerTable(), memoryHistory()];
  const consumer = { read: () => Promise.resolve({ lag: undefined, storedAt: undefined }) };

  const timers: { at: number; work: () => void }[] = [];
  const numbering = createNumbering({
    notes: table,
    clock,
    newProducerId,
    later: (work, ms) => void timers.push({ at: time.now + ms, work }),
    onFailure: (error) => {
      throw error;
    },
  });

  const statusQueue: { body: string; visibleAt: number }[] = [];
  const messages = {
    send: (message: object, delaySeconds: number) => {
      if (isIn(silence)) return Promise.resolve(false);
      statusQueue.push({ body: JSON.stringify(message), visibleAt: time.now + delaySeconds * SECOND });
      return Promise.resolve(true);
    },
  };
  const onTheirWay = () =>
    traffic.filter(
      ({ sentAt, storedAt }) =>
        storedAt !== undefined && time.now >= NOW + sentAt * SECOND && time.now < NOW + storedAt * SECOND,
    ).length;
  const queues = {
    read: () => (isIn(silence) ? Promise.reject(new Error("no answer")) : Promise.resolve(depths(onTheirWay()))),
  };

  const run = createRunMessages({
    countRefusals: () => Promise.resolve(),
    marker: { change: () => Promise.resolve({ isSubscribed: false }) },
    takeLedger: createTakeLedger({
      ledger: {
        take: (asked, deadline) => {
          calls.push(time.now);
          if (isIn(outage))
            return Promise.reject(new DatabaseError({ disposition: "retry", reason: "unavailable", detail: "" }));
          return database.reader.take(asked, deadline);
        },
      },
      table,
      queues,
      messages,
      keepHistory: createKeepHistory({ history, consumer }),
      clock,
    }),
    clock,
  });

  const stored: BatchOutcome = {
    remaining: [],
    level: "info",
    fields: { failedMessages: 0, requeuedMessages: 0 },
    metrics: {},
  };
  const store = askBehindBatch(
    async ([message]: ReceivedMessage[]) => {
      calls.push(time.now);
      const { producer, number } = JSON.parse(String(message?.body)) as { producer: string; number: number };
      database.end("acme", "stored", { producer, number });
      return stored;
    },
    { ask: createAskForLedger({ messages, clock }), clock, isChange: () => true, onUnsent: () => undefined },
  );

  const status = createStatus({ table, queues, consumer, clock });
  const readHistory = createReadHistory({ history, table, clock });
  const scraped: { at: number; accepted: number }[] = [];
  const onTheWay: { storedAt: number; body: string }[] = [];

  async function second(): Promise<void> {
    for (const { sentAt, storedAt } of traffic) {
      if (NOW + sentAt * SECOND !== time.now) continue;
      const { head, confirmed } = numbering.take("acme", 1);
      confirmed(head.sequence, head.sequence);
      const body = JSON.stringify({ producer: head.producer, number: head.sequence });
      if (storedAt !== undefined) onTheWay.push({ storedAt: NOW + storedAt * SECOND, body });
      await numbering.note();
    }
    for (const timer of timers.filter(({ at }) => at <= time.now)) {
      timers.splice(timers.indexOf(timer), 1);
      timer.work();
    }
    for (const message of onTheWay.filter(({ storedAt }) => storedAt === time.now))
      await store([{ body: message.body } as ReceivedMessage], time.now + 60 * SECOND);
    if (time.now % (STATUS_WINDOW_SECONDS * SECOND) === 0) await deliver();
    if (time.now % (SCRAPE_SECONDS * SECOND) === 0) await scrape();
  }

  /** The event source of status: what is visible, as one batch. */
  async function deliver(): Promise<void> {
    const due = statusQueue.filter(({ visibleAt }) => visibleAt <= time.now);
    if (due.length === 0) return;
    for (const each of due) each.visibleAt = time.now + STATUS_VISIBILITY_SECONDS * SECOND;
    const received = due.map(({ body }, index) => ({ messageId: String(index), body }) as ReceivedMessage);
    const { remaining } = await run(received, time.now + STATUS_TIMEOUT_SECONDS * SECOND);
    for (const [index, each] of due.entries())
      if (!remaining.includes(received[index] as ReceivedMessage)) statusQueue.splice(statusQueue.indexOf(each), 1);
  }

  async function scrape(): Promise<void> {
    const text = toMetricsText(await status.read("*", time.now), { stage: "dev", version: "1", build: "1" });
    await readHistory("*", "1h");
    const family = parse(text).find(({ name }) => name === "sluice_events_accepted_total");
    scraped.push({ at: time.now, accepted: Number(family?.metrics[0]?.value) });
  }

  return {
    calls,
    scraped,
    statusQueue,
    ledger: () => status.read("*", time.now),
    async runFor(seconds: number): Promise<void> {
      for (let i = 0; i < seconds; i++) {
        await second();
        time.now += SECOND;
      }
    },
  };
}

/** Runs the traffic, and the time in which snapshots of it may be taken; and then an hour, of which it gives the calls and scrapes. */
async function hourAfter(traffic: Traffic, faults: Faults, settleSeconds: number) {
  const last = Math.max(
    ...traffic.map(({ sentAt, storedAt = sentAt }) => storedAt),
    ...Object.values(faults).map(([, to]) => to),
  );
  const { calls, scraped, statusQueue, runFor } = installation(traffic, faults);
  await runFor(last + settleSeconds);
  const before = { calls: calls.length, scrapes: scraped.length };
  await runFor(3_600);
  return {
    callsBefore: before.calls,
    callsOfHour: calls.slice(before.calls),
    scrapes: scraped.slice(before.scrapes),
    waiting: statusQueue.length,
  };
}

const steady: Traffic = Array.from({ length: 120 }, (_, i) => ({ sentAt: i, storedAt: i + 2 }));

describe("an hour without traffic, of which a scraper reads the metrics every 15 seconds", () => {
  it.each<[string, Traffic, Faults, number, number]>([
    ["steady traffic", steady, {}, SNAPSHOT_SECONDS, 120 + 3],
    [
      "an event that was redelivered for minutes",
      [...steady, { sentAt: 121, storedAt: 500 }],
      {},
      SNAPSHOT_SECONDS,
      121 + 4,
    ],
    [
      "an event that nobody ever stores",
      [...steady, { sentAt: 60 }],
      {},
      SNAPSHOT_SECONDS + LOOK_AGAIN_SECONDS,
      120 + 4,
    ],
    ["an outage of the database", steady, { database: [60, 1_000] }, RETRY_SECONDS, 120 + 5],
    [
      "a queue of status that did not answer, and the event behind it",
      [...steady, { sentAt: 400, storedAt: 402 }],
      { sqs: [60, 300] },
      SNAPSHOT_SECONDS,
      121 + 2,
    ],
  ])("after %s calls the database no time", async (_name, traffic, faults, settleSeconds, callsAtLeast) => {
    const { callsBefore, callsOfHour, scrapes, waiting } = await hourAfter(traffic, faults, settleSeconds);

    expect(callsBefore).toBeGreaterThanOrEqual(callsAtLeast);
    expect(callsOfHour).toEqual([]);
    expect(waiting).toBe(0);
    expect(scrapes).toHaveLength(SCRAPES_OF_AN_HOUR);
    expect(new Set(scrapes.map(({ accepted }) => accepted))).toEqual(new Set([traffic.length]));
  });

  it("after whatever happened calls the database no time", async () => {
    const seconds = (max: number) => fc.integer({ min: 0, max });
    const window = fc.tuple(seconds(600), seconds(600)).map(([from, long]): [number, number] => [from, from + long]);
    const event = fc.record({ sentAt: seconds(400), delay: fc.option(seconds(900), { nil: undefined }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { minLength: 1, maxLength: 12 }),
        fc.record({ database: window, sqs: window }, { requiredKeys: [] }),
        async (events, faults) => {
          const traffic = events.map(({ sentAt, delay }) => ({
            sentAt,
            storedAt: delay === undefined ? undefined : sentAt + 1 + delay,
          }));

          const settle = RETRY_SECONDS + SNAPSHOT_SECONDS + LOOK_AGAIN_SECONDS + STATUS_VISIBILITY_SECONDS;
          const { callsOfHour, scrapes, waiting } = await hourAfter(traffic, faults, settle);

          expect(callsOfHour).toEqual([]);
          expect(waiting).toBe(0);
          expect(scrapes).toHaveLength(SCRAPES_OF_AN_HOUR);
        },
      ),
      { numRuns: 40 },
    );
  });
});
