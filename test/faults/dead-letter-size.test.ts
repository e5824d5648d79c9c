import { setTimeout as delay } from "node:timers/promises";
import { SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { schemas } from "../../functions/core/answer.ts";
import { forEachConcurrently } from "../../functions/core/for-each-concurrently.ts";
import { queueDepth } from "../support/sqs.ts";
import { sized } from "./support/fault-case.ts";
import { type FaultStack, startFaultStack } from "./support/fault-stack.ts";

type Replay = ReturnType<typeof schemas.Replay.parse>;

/** A million in a full run: `npm run test:faults -- test/faults/dead-letter-size.test.ts`. */
const COUNT = sized(2_000, 1_000_000);
const WHOLE_MS = sized(280_000, 7_200_000);
const PATIENCE_MS = sized(200_000, 3_000_000);
/** Events of a message, of the consumer's and of one that SQS has moved to the dead-letter queue as a whole. */
const PER_MESSAGE = sized(20, 100);
const SEND_MESSAGES = 10;
const KILLS = 3;
const LOOK_EVERY_MS = 200;

/** A small run is over before either function has found its rate. */
const LEAST_RATIO = sized(0, 0.5);

let stack: FaultStack;
beforeAll(async () => {
  // A message of a killed step comes again in seconds, when the lease of its job has ended.
  stack = await startFaultStack({ replayTimeoutSeconds: 25, visibilitySeconds: 40, maxReceiveCount: 30 });
});
afterAll(() => stack?.remove());

const call = (path: string, init: RequestInit = {}) =>
  fetch(`${stack.addresses.url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${stack.addresses.apiKey}`, "content-type": "application/json" },
  });

const bodyOf = (prefix: string, first: number) =>
  JSON.stringify({
    version: 1,
    tenant: "default",
    receivedAt: new Date().toISOString(),
    events: Array.from({ length: PER_MESSAGE }, (_, at) => {
      const id = `${prefix}-${first + at}`;
      return { id, source: "/size", type: "t", time: "2026-11-20T10:00:00Z", data: { id, big: "9007199254740993" } };
    }),
  });

/** Sends messages with so many events. */
async function fill({ client, url }: FaultStack["queue"], prefix: string) {
  const perCall = SEND_MESSAGES * PER_MESSAGE;
  const starts = Array.from({ length: COUNT / perCall }, (_, at) => at * perCall);
  await forEachConcurrently(starts, 4, async (start) => {
    const Entries = Array.from({ length: SEND_MESSAGES }, (_, at) => ({
      Id: String(at),
      MessageBody: bodyOf(prefix, start + at * PER_MESSAGE),
    }));
    const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
    expect(Failed).toEqual([]);
  });
}

const countOf = async (sql: string): Promise<number> =>
  Number((await stack.ask<{ count: string }>(`select count(*) from ${sql}`))[0]?.count);

/** The events a second of a function that finds all of its messages waiting. */
async function rateOf(
  functionName: "consume" | "drain",
  { queue, prefix }: { queue: FaultStack["queue"]; prefix: string },
) {
  stack.deploy(functionName, { reservedConcurrency: 0 });
  await fill(queue, prefix);
  const startedAt = performance.now();
  stack.deploy(functionName, { reservedConcurrency: undefined });
  // The database is left alone meanwhile: to count a million rows again and again would be most of its work.
  await until(async () => (await queue.depth()) === 0);
  return COUNT / ((performance.now() - startedAt) / 1_000);
}

/** Waits for a fact, and looks seldom: a look costs what is measured. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    expect(performance.now()).toBeLessThan(end);
    await delay(LOOK_EVERY_MS);
  }
}

/** The messages of the dead-letter queue alone. */
const inQueue = () => queueDepth(stack.deadLetters.client, stack.deadLetters.url);

const read = async (id: string) => (await (await call(`/replays/${id}`)).json()) as Replay;

/** Replays everything; the database is killed each time that another quarter is sent. */
async function replayWithKills(): Promise<Replay> {
  const started = await call("/replays", { method: "POST", body: "{}" });
  expect(started.status).toBe(202);
  const { id, planned } = (await started.json()) as Replay;
  expect(planned).toBe(COUNT);
  for (let kill = 1; kill <= KILLS; kill++) {
    await until(async () => {
      const { sent, state } = await read(id);
      return sent >= (COUNT * kill) / (KILLS + 1) || state !== "running";
    });
    await stack.postgres.stop("immediate");
    await stack.postgres.start();
  }
  await until(async () => {
    const { state, sent, stored, deadLettered } = await read(id);
    return state !== "running" && stored + deadLettered === sent;
  });
  return read(id);
}

describe("many dead letters", () => {
  it(
    "are recorded beside the rate of the consumer, and a replay of all of them is stored once though the database is killed",
    async () => {
      const consumed = await rateOf("consume", { queue: stack.queue, prefix: "stored" });
      const drained = await rateOf("drain", { queue: { ...stack.deadLetters, depth: inQueue }, prefix: "dead" });
      expect([await countOf("events"), await countOf("dead_letters")]).toEqual([COUNT, COUNT]);

      const startedAt = performance.now();
      const finished = await replayWithKills();
      const seconds = (performance.now() - startedAt) / 1_000;

      process.stdout.write(
        `${COUNT} dead letters: drained ${Math.round(drained)}/s, ${(drained / consumed).toFixed(2)} x the consumer's ${Math.round(consumed)}/s; replayed and stored in ${seconds.toFixed(0)} s, the database killed ${KILLS} times\n`,
      );
      expect(finished).toMatchObject({ state: "done", taken: COUNT, sent: COUNT, stored: COUNT, deadLettered: 0 });
      expect(await countOf("dead_letters")).toBe(COUNT);
      expect(await countOf("dead_letters where state = 'replayed' and replays = 1")).toBe(COUNT);
      expect(await countOf("dead_letter_replays where number = 1 and outcome = 'stored'")).toBe(COUNT);
      expect(await countOf("dead_letter_replays")).toBe(COUNT);
      expect(await countOf("events")).toBe(2 * COUNT);
      expect(await countOf("(select distinct tenant, source, id from events) as each")).toBe(2 * COUNT);
      expect(drained / consumed).toBeGreaterThanOrEqual(LEAST_RATIO);
    },
    WHOLE_MS,
  );
});
