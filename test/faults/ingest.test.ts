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
import { faultCase, sized } from "./support/fault-case.ts";
import { type Fate, failByFate } from "./support/message-fates.ts";
import { watchSizes } from "./support/message-sizes.ts";
import { filled, fiveCalls, fiveMessages, messageOf } from "./support/sized-events.ts";
import { storedIds } from "./support/stored-ids.ts";
import { startWorld, type World } from "./support/fault-stack.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ windowSeconds: 0 });
});
afterAll(() => world?.remove());

/** Of the door: the consumer sends, too. */
const sends = () => ({ action: "SendMessageBatch", queue: world.queue.name });
const sendCalls = () =>
  world.sqs.calls.filter(({ action, queue }) => action === sends().action && queue === sends().queue);

const copiesStored = (from: number) => total(batchLines(world, from), "EventsDuplicate");
const statusesOf = (answers: readonly Answer[]) => [...new Set(answers.map((answer) => answer?.status))];

/** While `work` runs, the door gives a queue up after three seconds, a second before its timeout, instead of nine. */
const hurried = async (work: () => Promise<void>) => {
  world.deploy("ingest", { timeoutSeconds: 4 });
  try {
    await work();
  } finally {
    world.deploy("ingest", {});
  }
};

describe("a queue that takes some messages of a call and not others", () => {
  faultCase(
    "F11",
    "SendMessageBatch answers 200 with Failed entries",
    () => world,
    async (scene) => {
      const statuses: (number | undefined)[] = [];
      const again: SentEvent[] = [];
      const postAndJudge = async (isTaken: (id: string) => boolean) => {
        const events = fiveMessages(scene, sized(10, 60));
        const answer = await scene.post(events);
        const taken = events.map(({ id }) => isTaken(id));
        expect(verdictsOf(answer)).toEqual(taken.map((each) => (each ? "accepted" : "retry")));
        expect(answer?.status).toBe(taken.every(Boolean) ? 202 : taken.some(Boolean) ? 207 : 503);
        statuses.push(answer?.status);
        again.push(...events.filter((_, index) => !taken[index]));
      };
      await fc.assert(
        fc.asyncProperty(fc.array(fate, { minLength: 10, maxLength: 10 }), async (fates) => {
          const isTaken = failByFate(world, fates);
          await Promise.all([postAndJudge(isTaken), postAndJudge(isTaken)]);
          expect(sendCalls().filter(({ entries }) => entries.length > 1)).not.toEqual([]);
        }),
        { numRuns: sized(2, 20), endOnFailure: true },
      );
      expect(statuses).toContain(207);

      // The verdicts are true of the queue as well: what SQS failed is not in it.
      await scene.atRest();
      expect(await storedIds(scene)).toHaveLength(scene.history.attempted.length - again.length);
      await scene.heal();
      await scene.deliver(again, { perRequest: 30 });
      scene.note(`${again.length} events told to be sent again`);
    },
  );

  /** For the last one the door tries until just before its timeout. */
  const fate = fc.constantFrom<Fate>("taken", "late", "refused", ...(sized(0, 1) === 1 ? (["never"] as const) : []));

  const verdictsOf = (answer: Answer) =>
    ((answer?.body as { results?: { status: string }[] } | undefined)?.results ?? []).map(({ status }) => status);
});

describe("a queue whose answers are lost", () => {
  faultCase(
    "F12",
    "answer of the send lost after SQS stored it",
    () => world,
    async (scene) => {
      const from = world.lines.length;
      let calls = 0;
      let lost = 0;
      const loseWhere = (isLost: (call: number) => boolean) => {
        const where = () => {
          const loses = isLost(++calls);
          if (loses) lost += 1;
          return loses;
        };
        world.sqs.setFaults({ kind: "dropAfter", ...sends(), where });
      };

      // One of three: the door itself sends again.
      const answers: Answer[] = [];
      loseWhere((call) => call % 3 === 0);
      await scene.deliver(scene.events(sized(200, 8_000)), { onAnswer: (answer) => answers.push(answer) });
      expect(refusals(answers)).toEqual([]);
      expect(lost).toBeGreaterThan(2);

      // All: the door cannot know, so it must not say 202, and the client sends again.
      await hurried(async () => {
        const untold: Answer[] = [];
        loseWhere(() => true);
        const delivered = scene.deliver(scene.events(sized(40, 2_000)), {
          perRequest: sized(10, 50),
          connections: 4,
          onAnswer: (answer) => untold.push(answer),
        });
        await eventually(
          async () => untold.length,
          (count) => count >= 4,
        );
        expect(statusesOf(untold)).not.toContain(202);
        await scene.heal();
        await delivered;
      });

      const copies = await eventually(
        async () => copiesStored(from),
        (count) => count > 0,
      );
      scene.note(`${lost} answers lost; ${copies} events found stored already`);
    },
  );
});

describe("a queue that is away", () => {
  faultCase(
    "F13",
    "SQS unavailable: it answers 503, then nothing at all",
    () => world,
    async (scene) => {
      world.sqs.setFaults({ kind: "unavailable" });
      const answers: AnswerWithHeaders[] = [];
      let meanwhile: AnswerWithHeaders[] = [];
      await hurried(async () => {
        const delivered = scene.deliver(scene.events(sized(400, 10_000)), {
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
        world.sqs.setFaults({ kind: "hang" });
        await fourMore();
        meanwhile = [...answers];
        await scene.heal();
        await delivered;
      });

      expect(statusesOf(meanwhile)).not.toContain(202);
      // A door that is too slow for its timeout, as on a busy machine, cannot say so itself.
      const told = meanwhile.filter((answer) => answer?.status !== 502);
      expect(told.length).toBeGreaterThan(meanwhile.length / 2);
      for (const answer of told) {
        expect(answer).toMatchObject({ status: 503, body: { code: "queue_unavailable" } });
        expect(answer?.headers.get("retry-after")).toBe(String(RETRY_AFTER_SECONDS));
      }
      scene.note(`${meanwhile.length} requests answered 503, none 202`);
    },
  );
});

describe("a door that is killed", () => {
  faultCase(
    "F14",
    "ingest killed after 3 of 5 batch sends",
    () => world,
    async (scene) => {
      const from = world.lines.length;
      const requests = sized(2, 20);
      const perMessage = sized(10, 100);
      for (let request = 0; request < requests; request++) {
        const events = fiveCalls(scene, perMessage);
        world.sqs.setFaults();
        killAfterThreeSends();
        expect(await scene.post(events)).toMatchObject({ status: 502, body: { code: "gateway_failure" } });
        expect(sendCalls()).toHaveLength(3);
        world.failpoints.order();
        await scene.deliver(events, { perRequest: events.length });
      }

      const copies = 3 * perMessage * requests;
      await eventually(
        async () => copiesStored(from),
        (count) => count >= copies,
      );
      scene.note(`${requests} kills; ${copies} events found stored already`);
    },
  );

  const killAfterThreeSends = () =>
    world.failpoints.order(({ stage, point, count }) => {
      if (stage !== "ingest") return "go";
      if (point === "afterSend") return count === 3 ? "kill" : "go";
      return count > 3 ? new Promise<never>(() => undefined) : "go";
    });
});

describe("sizes at the limit", () => {
  faultCase(
    "F20",
    "events that fill messages to the last byte, also with several bytes a character",
    () => world,
    async (scene) => {
      const sent = watchSizes(world);
      const isFull = sized(0, 1) === 1;
      // What fails often is sent once more, with attributes.
      if (isFull) world.dataApiFaults.set([{ kind: "error", error: "DatabaseUnavailableException" }]);
      await fc.assert(
        fc.asyncProperty(fc.array(edgeMessages(sized(30, 300)), { minLength: 1, maxLength: 3 }), async (messages) => {
          // Forgets the calls so far.
          world.sqs.setFaults();
          const events = messages.flatMap(({ bytes, count, unit }) => messageOf(scene.events(count), bytes, unit));
          expect(await scene.post(events)).toMatchObject({ status: 202 });
          expect(sent.oversize).toEqual([]);
        }),
        { numRuns: EDGES.length + sized(5, 40), examples: EDGES.map((edge) => [[edge]]), endOnFailure: true },
      );
      expect(await scene.post(atEventLimit(scene.events(2), [-1, 0]))).toMatchObject({ status: 202 });
      // Not through the scene: nobody counts on it.
      expect(await post(world.addresses.url, atEventLimit(scene.events(1), [1]))).toMatchObject({
        status: 422,
        body: { results: [{ status: "invalid", errors: [{ path: "", code: "event_too_large" }] }] },
      });
      if (isFull) {
        await eventually(
          async () => sent.attributed,
          (copies) => copies > 0,
        );
      }
      world.dataApiFaults.clear();
      await scene.atRest();

      expect(sent.oversize).toEqual([]);
      expect(sent.fullest).toBeGreaterThan(FULL_BYTES - 10);
      scene.note(`fullest message ${sent.fullest} bytes, of a first send; fullest call ${sent.fullestCall}`);
    },
    { drainWithinMs: 60_000 },
  );

  faultCase(
    "F21",
    "events over 64 KB, which no row of an answer of the Data API holds, stored and read",
    () => world,
    async (scene) => {
      const sizes = fc.record({
        bytes: fc.integer({ min: 70_000, max: 250_000 }),
        unit: fc.string({ unit: "binary", minLength: 1, maxLength: 20 }).filter((text) => !text.includes("\0")),
      });
      const events = fc
        .sample(sizes, sized(12, 400))
        .flatMap(({ bytes, unit }) => scene.events(1).map((event) => filled(event, bytes, unit)));
      await scene.deliver(events, { perRequest: 12, connections: 2 });
      await scene.atRest();

      const [smallest] = await world.ask<{ bytes: number }>(
        "select min(octet_length(data::text)) as bytes from events where source = $1",
        [scene.source],
      );
      expect(smallest?.bytes).toBeGreaterThan(64 * 1_024);
      for (const { id, data } of events) {
        const read = await get(`${world.addresses.url}/events/${id}`);
        expect(read).toMatchObject({ status: 200, body: { id, data } });
      }
    },
  );
});
