import { v7 as uuidV7 } from "uuid";
import { createDeadLetterReader } from "../../functions/adapters/data-api/dead-letter-reader.ts";
import { createDeadLetterStore } from "../../functions/adapters/data-api/dead-letter-store.ts";
import { DEAD_LETTERS_DEFAULT } from "../../functions/core/dead-letter-limits.ts";
import type { DeadLetterSelection } from "../../functions/core/dead-letter-table.ts";
import type { ReceivedDeadLetter } from "../../functions/core/queue-message.ts";
import { createRecordMessages } from "../../functions/drain/record-messages.ts";
import type { Benchmark, BenchOptions, BenchReport } from "../benchmark.ts";
import { makeEvent } from "../events.ts";
import { measureAlternately, ratios } from "../rounds.ts";
import { type BenchDatabase, startBenchDatabase } from "../store/bench-database.ts";
import { consume, createConsumer, toMessages } from "../store/writers.ts";

/** B19 and B20. */
export const deadLettersBenchmark: Benchmark = {
  name: "dead-letters",
  title: "Dead letters",
  about:
    "One invocation of drain, and one of the consumer, with 10,000 messages of one event of 330 B each; both over one " +
    "connection to PostgreSQL without the Data API in between. Then the groups and the first page of 100,000 open dead letters " +
    "of one tenant beside a plain count of them, as the reader of the query function.",
  run: measureDeadLetters,
};

const MESSAGES = 10_000;
const EVENT_BYTES = 330;
const ROWS = 100_000;
const QUICK_ROWS = 10_000;
/** Dead letters of one call of drain. */
const FILL_MESSAGES = 10_000;
const SECOND_MS = 1_000;
const WITHIN_MS = 60_000;

async function measureDeadLetters({ rounds, quick, log }: BenchOptions): Promise<BenchReport> {
  const bench = await startBenchDatabase();
  try {
    log(`${MESSAGES} messages`);
    const writing = await measureAlternately(
      "10,000 messages of one event of 330 B",
      "messages/s",
      [
        { name: "drain", round: () => drainRound(bench, MESSAGES) },
        { name: "consume", round: () => consumeRound(bench) },
      ],
      { rounds, warmUps: 1 },
    );
    const rows = quick ? QUICK_ROWS : ROWS;
    log(`${rows} dead letters`);
    await bench.client.query("truncate dead_letters, dead_letter_replays");
    for (let filled = 0; filled < rows; filled += FILL_MESSAGES) await drainRound(bench, FILL_MESSAGES);
    await bench.client.query("vacuum analyze dead_letters");
    const { client, database } = await bench.connectReader();
    try {
      const reader = createDeadLetterReader(database);
      const soon = () => Date.now() + WITHIN_MS;
      const reading = await measureAlternately(
        `${rows.toLocaleString("en-US")} dead letters`,
        "ms",
        [
          { name: "groups", round: () => timed(() => reader.groups(SCOPE, OPEN, soon())) },
          { name: "page", round: () => timed(() => reader.list(SCOPE, OPEN, PAGE, soon())) },
          { name: "plain count", round: () => timed(() => bench.client.query(COUNT)) },
        ],
        { rounds, warmUps: 1 },
      );
      return {
        series: [writing, reading],
        checks: [
          {
            id: "B19",
            what: "messages a second of one drain",
            against: "one consumer",
            ratios: ratios(writing, "drain", "consume"),
            floor: { atLeast: 0.5 },
          },
          {
            id: "B20",
            what: `groups of ${rows.toLocaleString("en-US")} dead letters`,
            against: "a plain count of them",
            ratios: ratios(reading, "groups", "plain count"),
            floor: { atMost: 15 },
          },
        ],
        notes: ["The groups read each dead letter: their number, first and last, types and a sample of each."],
      };
    } finally {
      await client.end();
    }
  } finally {
    await bench.remove();
  }
}

const SCOPE = { tenant: "default", allowed: { types: undefined, sources: undefined } };
const OPEN: DeadLetterSelection = {
  filter: undefined,
  ids: undefined,
  reasons: undefined,
  sqlStates: undefined,
  messageGroups: undefined,
  states: ["open"],
  opened: { from: undefined, to: undefined },
};
const PAGE = { after: undefined, limit: DEAD_LETTERS_DEFAULT, budgetMs: 5_000 };
const COUNT = "select count(*) from dead_letters where tenant = 'default' and state = 'open'";

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function drainRound({ database }: BenchDatabase, count: number): Promise<number> {
  const record = createRecordMessages({ store: createDeadLetterStore(database), clock: () => new Date() });
  const messages = deadLetters(count);
  const started = performance.now();
  const { failed, recorded } = await record(messages, Date.now() + WITHIN_MS);
  if (failed.length > 0 || recorded !== count) throw new Error(`Recorded ${recorded}, failed ${failed.length}.`);
  return count / ((performance.now() - started) / SECOND_MS);
}

async function consumeRound({ database }: BenchDatabase): Promise<number> {
  const messages = toMessages(events(MESSAGES), 1);
  const started = performance.now();
  await consume(createConsumer(database), messages, { stored: MESSAGES });
  return MESSAGES / ((performance.now() - started) / SECOND_MS);
}

const events = (count: number) =>
  Array.from({ length: count }, (_, serial) => makeEvent(serial, EVENT_BYTES, uuidV7()));

/** Messages as the consumer sends them, for several causes. */
function deadLetters(count: number): ReceivedDeadLetter[] {
  return toMessages(events(count), 1).map(({ body, receiptHandle, receiveCount }, at) => ({
    messageId: uuidV7(),
    body,
    receiptHandle,
    receiveCount,
    sentAt: Date.now(),
    group: "default",
    attributes: {
      reason: at % 5 === 0 ? "constraint_violation" : "not_storable",
      sqlState: at % 5 === 0 ? "23514" : "22P05",
      detail: `ERROR: value ${at} of "${CAUSES[at % CAUSES.length]}" is refused`,
      replays: "0",
      attempts: "1",
    },
  }));
}

const CAUSES = ["amount", "currency", "customer"];
