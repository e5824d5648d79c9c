import { setTimeout as delay } from "node:timers/promises";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { RETRY_AFTER_SECONDS } from "../../functions/core/limits.ts";
import { eventually } from "../support/eventually.ts";
import { get, post } from "../support/http.ts";
import type { Answer } from "./checker/answer-outcomes.ts";
import { refusals } from "./support/arrivals.ts";
import { batchLines, total } from "./support/batch-lines.ts";
import type { AnswerWithHeaders, SentEvent } from "./support/client.ts";
import { atEventLimit, EDGES, edgeMessages, FULL_BYTES } from "./support/edge-messages.ts";
import { faultCase, isFull, sized } from "./support/fault-case.ts";
import { type Fate, failByFate } from "./support/fail-by-fate.ts";
import { watchSizes } from "./support/message-sizes.ts";
import { filled, fiveCalls, fiveMessages, messageOf } from "./support/sized-events.ts";
import { storedIds } from "./support/stored-ids.ts";
import { startFaultStack, type FaultStack } from "./support/fault-stack.ts";

let stack: FaultStack;
beforeAll(async () => {
  stack = await startFaultStack({ windowSeconds: 0 });
});
afterAll(() => stack?.remove());

/** Calls of ingest: the consumer sends, too. */
const sends = () => ({ action: "SendMessageBatch", queue: stack.queue.name });
const sendCalls = () =>
  stack.sqs.calls.filter(({ action, queue }) => action === sends().action && queue === sends().queue);

const copiesStored = (from: number) => total(batchLines(stack, from), "EventsDuplicate");
const statusesOf = (answers: readonly Answer[]) => [...new Set(answers.map((answer) => answer?.status))];

/** While `work` runs, ingest gives a queue up after three seconds, a second before its timeout, instead of nine. */
const hurried = async (work: () => Promise<void>) => {
  stack.deploy("ingest", { timeoutSeconds: 4 });
  try {
    await work();
  } finally {
    stack.deploy("ingest", {});
  }
};

describe("a queue that takes some messages of a call and not others", () => {
  faultCase(
    "F11",
    "SendMessageBatch answers 200 with Failed entries",
    () => stack,
    async (scenario) => {
      const statuses: (number | undefined)[] = [];
      const again: SentEvent[] = [];
      const postAndJudge = async (isTaken: (id: string) => boolean) => {
        const events = fiveMessages(scenario, sized(10, 60));
        const answer = await scenario.post(events);
        const taken = events.map(({ id }) => isTaken(id));
        expect(verdictsOf(answer)).toEqual(taken.map((each) => (each ? "accepted" : "retry")));
        expect(answer?.status).toBe(taken.every(Boolean) ? 202 : taken.some(Boolean) ? 207 : 503);
        statuses.push(answer?.status);
        again.push(...events.filter((_, index) => !taken[index]));
      };
      await fc.assert(
        fc.asyncProperty(fc.array(fate, { minLength: 10, maxLength: 10 }), async (fates) => {
          const isTaken = failByFate(stack, fates);
          await Promise.all([postAndJudge(isTaken), postAndJudge(isTaken)]);
          expect(sendCalls().filter(({ entries }) => entries.length > 1)).not.toEqual([]);
        }),
        // By chance a small run may have no request of which a part is taken.
        { numRuns: sized(2, 20), endOnFailure: true, examples: [[MIXED]] },
      );
      expect(statuses).toContain(207);

      // The verdicts are true of the queue as well: what SQS failed is not in it.
      await scenario.atRest();
      expect(await storedIds(scenario)).toHaveLength(scenario.history.attempted.length - again.length);
      await scenario.heal();
      await scenario.deliver(again, { perRequest: 30 });
      scenario.note(`${again.length} events marked retry`);
    },
  );

  /** For the last one ingest tries until just before its timeout. */
  const MIXED: Fate[] = [
    "taken",
    "refused",
    "late",
    "taken",
    "refused",
    "taken",
    "refused",
    "late",
    "taken",
    "refused",
  ];
  const fate = fc.constantFrom<Fate>("taken", "late", "refused", ...(isFull() ? (["never"] as const) : []));

  const verdictsOf = (answer: Answer) =>
    ((answer?.body as { results?: { status: string }[] } | undefined)?.results ?? []).map(({ status }) => status);
});

describe("a queue whose answers are lost", () => {
  faultCase(
    "F12",
    "answer of the send lost after SQS enqueued it",
    () => stack,
    async (scenario) => {
      const from = stack.lines.length;
      let calls = 0;
      let lost = 0;
      const loseWhere = (isLost: (call: number) => boolean) => {
        const where = () => {
          const loses = isLost(++calls);
          if (loses) lost += 1;
          return loses;
        };
        stack.sqs.setFaults({ kind: "dropAfter", ...sends(), where });
      };

      // One of three: ingest itself sends again.
      const answers: Answer[] = [];
      loseWhere((call) => call % 3 === 0);
      await scenario.deliver(scenario.events(sized(200, 8_000)), { onAnswer: (answer) => answers.push(answer) });
      expect(refusals(answers)).toEqual([]);
      expect(lost).toBeGreaterThan(2);

      // All: ingest cannot know, so it must not answer 202, and the client sends again.
      await hurried(async () => {
        const untold: Answer[] = [];
        loseWhere(() => true);
        const delivered = scenario.deliver(scenario.events(sized(40, 2_000)), {
          perRequest: sized(10, 50),
          connections: 4,
          onAnswer: (answer) => untold.push(answer),
        });
        await eventually(
          async () => untold.length,
          (count) => count >= 4,
        );
        expect(statusesOf(untold)).not.toContain(202);
        await scenario.heal();
        await delivered;
      });

      const copies = await eventually(
        async () => copiesStored(from),
        (count) => count > 0,
      );
      scenario.note(`${lost} answers lost; ${copies} events found stored already`);
    },
  );
});

describe("an outage of the queue", () => {
  faultCase(
    "F13",
    "SQS unavailable: it answers 503, then nothing at all",
    () => stack,
    async (scenario) => {
      stack.sqs.setFaults({ kind: "unavailable" });
      const answers: AnswerWithHeaders[] = [];
      let meanwhile: AnswerWithHeaders[] = [];
      await hurried(async () => {
        const delivered = scenario.deliver(scenario.events(sized(400, 10_000)), {
          perRequest: sized(50, 500),
          connections: 4,
          onAnswer: (answer) => answers.push(answer),
        });
        const fourMore = async () => {
          const before = answers.length;
          await delay(sized(0, 15_000));
          await eventually(
            async () => answers.length - before,
            (count) => count >= 4,
          );
        };
        await fourMore();
        stack.sqs.setFaults({ kind: "hang" });
        await fourMore();
        meanwhile = [...answers];
        await scenario.heal();
        await delivered;
      });

      expect(statusesOf(meanwhile)).not.toContain(202);
      // A function that is too slow for its timeout, as on a busy machine, cannot answer.
      const answered = meanwhile.filter((answer) => answer?.status !== 502);
      expect(answered.length).toBeGreaterThan(meanwhile.length / 2);
      for (const answer of answered) {
        expect(answer).toMatchObject({ status: 503, body: { code: "queue_unavailable" } });
        expect(answer?.headers.get("retry-after")).toBe(String(RETRY_AFTER_SECONDS));
      }
      scenario.note(`${meanwhile.length} requests answered 503, none 202`);
    },
  );
});

describe("ingest that is killed", () => {
  faultCase(
    "F14",
    "ingest killed after 3 of 5 batch sends",
    () => stack,
    async (scenario) => {
      const from = stack.lines.length;
      const requests = sized(2, 20);
      const perMessage = sized(10, 100);
      for (let request = 0; request < requests; request++) {
        const events = fiveCalls(scenario, perMessage);
        stack.sqs.setFaults();
        killAfterThreeSends();
        expect(await scenario.post(events)).toMatchObject({ status: 502, body: { code: "gateway_failure" } });
        expect(sendCalls()).toHaveLength(3);
        stack.failpoints.order();
        await scenario.deliver(events, { perRequest: events.length });
      }

      const copies = 3 * perMessage * requests;
      await eventually(
        async () => copiesStored(from),
        (count) => count >= copies,
      );
      scenario.note(`${requests} kills; ${copies} events found stored already`);
    },
  );

  const killAfterThreeSends = () =>
    stack.failpoints.order(({ functionName, point, count }) => {
      if (functionName !== "ingest") return "go";
      if (point === "afterSend") return count === 3 ? "kill" : "go";
      return count > 3 ? new Promise<never>(() => undefined) : "go";
    });
});

describe("sizes at the limit", () => {
  faultCase(
    "F20",
    "events that fill messages to the last byte, also with several bytes a character",
    () => stack,
    async (scenario) => {
      const sent = watchSizes(stack);
      // What fails often is sent once more, with attributes.
      if (isFull()) stack.dataApiFaults.set([{ kind: "error", error: "DatabaseUnavailableException" }]);
      await fc.assert(
        fc.asyncProperty(fc.array(edgeMessages(sized(30, 300)), { minLength: 1, maxLength: 3 }), async (messages) => {
          // Forgets the calls so far.
          stack.sqs.setFaults();
          const events = messages.flatMap(({ bytes, count, unit }) => messageOf(scenario.events(count), bytes, unit));
          expect(await scenario.post(events)).toMatchObject({ status: 202 });
          expect(sent.oversize).toEqual([]);
        }),
        { numRuns: EDGES.length + sized(5, 40), examples: EDGES.map((edge) => [[edge]]), endOnFailure: true },
      );
      expect(await scenario.post(atEventLimit(scenario.events(2), [-1, 0]))).toMatchObject({ status: 202 });
      // Not through the scenario: nobody counts on it.
      expect(await post(stack.addresses.url, atEventLimit(scenario.events(1), [1]))).toMatchObject({
        status: 422,
        body: { results: [{ status: "invalid", errors: [{ path: "", code: "event_too_large" }] }] },
      });
      if (isFull()) {
        await eventually(
          async () => sent.attributed,
          (copies) => copies > 0,
        );
      }
      stack.dataApiFaults.clear();
      await scenario.atRest();

      expect(sent.oversize).toEqual([]);
      expect(sent.fullest).toBeGreaterThan(FULL_BYTES - 10);
      expect([sent.plain, sent.compressed]).not.toContain(0);
      scenario.note(`fullest message ${sent.fullest} bytes, of a first send; fullest call ${sent.fullestCall}`);
    },
    { drainWithinMs: 60_000 },
  );

  faultCase(
    "F21",
    "events over 64 KB, which no row of an answer of the Data API holds, stored and read",
    () => stack,
    async (scenario) => {
      const sizes = fc.record({
        bytes: fc.integer({ min: 70_000, max: 250_000 }),
        unit: fc.string({ unit: "binary", minLength: 1, maxLength: 20 }).filter((text) => !text.includes("\0")),
      });
      const events = fc
        .sample(sizes, sized(12, 400))
        .flatMap(({ bytes, unit }) => scenario.events(1).map((event) => filled(event, bytes, unit)));
      await scenario.deliver(events, { perRequest: 12, connections: 2 });
      await scenario.atRest();

      const [smallest] = await stack.ask<{ bytes: number }>(
        "select min(octet_length(data::text)) as bytes from events where source = $1",
        [scenario.source],
      );
      expect(smallest?.bytes).toBeGreaterThan(64 * 1_024);
      for (const { id, data } of events) {
        const read = await get(`${stack.addresses.url}/events/${id}`);
        expect(read).toMatchObject({ status: 200, body: { id, data } });
      }
    },
  );
});
