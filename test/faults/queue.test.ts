import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished } from "vitest";
import { textOfMessage } from "../../functions/core/message-text.ts";
import { eventually } from "../support/eventually.ts";
import { runScript } from "../support/run-script.ts";
import { batchLines, total } from "./support/batch-lines.ts";
import { batchHeldAt, freeze, orderConsumer } from "./support/order-consumer.ts";
import { enqueue } from "./support/enqueue.ts";
import { faultCase, type FaultScenario, isFull, sized } from "./support/fault-case.ts";
import { withVisibilityTimeout } from "./support/with-visibility-timeout.ts";
import { buildNextVersion } from "./support/build-next-version.ts";
import { storedIds } from "./support/stored-ids.ts";
import { startFaultStack, type FaultStack } from "./support/fault-stack.ts";

/** Small batches, and two invocations at once where the event source would have five. */
let stack: FaultStack;
beforeAll(async () => {
  stack = await startFaultStack({
    // Far above what a batch takes on a busy machine; the cases that wait for it hide messages for less.
    visibilitySeconds: 40,
    functionTimeoutSeconds: 15,
    batchMessages: 5,
    windowSeconds: 0,
    reservedConcurrency: 2,
  });
});
afterAll(() => stack?.remove());

const briefly = (seconds: number, body: (scenario: FaultScenario) => Promise<void>) => (scenario: FaultScenario) =>
  withVisibilityTimeout(stack, seconds, () => body(scenario));

const logged = (from: number, text: string) => stack.lines.slice(from).filter((line) => line.includes(text)).length;

/** A batch's line comes after its events are stored. */
const copiesFound = (from: number) =>
  eventually(
    async () => total(batchLines(stack, from), "EventsDuplicate"),
    (count) => count > 0,
  );

describe("messages that come more than once", () => {
  for (const [kind, title] of [
    ["duplicate", "each message twice in one batch"],
    ["again", "messages once more in a later batch"],
  ] as const) {
    faultCase(
      "F10",
      title,
      () => stack,
      async (scenario) => {
        stack.sqs.setFaults({ kind, action: "ReceiveMessage" });
        await scenario.deliver(scenario.events(sized(100, 10_000)), { perRequest: 10 });
        await scenario.atRest();
        expect(stack.sqs.applied).toBeGreaterThan(0);
        scenario.note(`${stack.sqs.applied} receives with messages once more`);
      },
    );
  }

  faultCase(
    "F10",
    "each event in two messages of one batch",
    () => stack,
    async (scenario) => {
      for (let round = 0; round < sized(1, 10); round++) {
        const events = scenario.events(sized(40, 1_000));
        await scenario.hold();
        const from = stack.lines.length;
        for (const perRequest of [events.length, events.length / 2]) await scenario.deliver(events, { perRequest });
        stack.sqs.setFaults();
        const [both] = await eventually(
          async () => batchLines(stack, from).filter(({ messages }) => messages === 3),
          ({ length }) => length > 0,
        );
        expect(both).toMatchObject({ EventsStored: events.length, EventsDuplicate: events.length });
      }
    },
  );
});

describe("a rolling deployment", () => {
  faultCase(
    "F29",
    "each of two versions of the envelope meets the consumer of the other",
    () => stack,
    async (scenario) => {
      const versioned = ["ingest", "consume"] as const;
      const next = (name: string) => join(stack.dataDir, "next", name);
      await Promise.all(versioned.map((name) => buildNextVersion(name, next(name))));
      onTestFinished(() => versioned.forEach((name) => stack.deploy(name, {})));
      const count = sized(50, 5_000);
      const [early, late, extended] = [scenario.events(count), scenario.events(count), scenario.events(10)];

      // Ingest first: today's consumer parks a message that it cannot read. It can read one that only has more members.
      stack.deploy("ingest", { assetPath: next("ingest") });
      await parked(scenario, () => scenario.deliver(early, { perRequest: count / 5 }), false);
      await enqueue(scenario, extended, new Date().toISOString(), (envelope) => ({ ...envelope, trace: randomUUID() }));
      await scenario.atRest();
      expect(new Set(await storedIds(scenario))).toEqual(idsOf(extended));

      stack.deploy("consume", { assetPath: next("consume") });
      await replayed(scenario);
      expect(new Set(await storedIds(scenario))).toEqual(idsOf(extended, early));

      // Ingest is rolled back, and then the consumer.
      stack.deploy("ingest", {});
      await parked(scenario, () => scenario.deliver(late, { perRequest: count / 5 }), true);
      stack.deploy("consume", {});
      await replayed(scenario);
      expect(new Set(await storedIds(scenario))).toEqual(idsOf(extended, early, late));
      scenario.note(`${2 * count} events parked, and stored by a replay`);
    },
  );

  const idsOf = (...lists: { id: string }[][]) => new Set(lists.flat().map(({ id }) => id));

  /**
   * Sends five messages that the consumer cannot read. Drain, which stays as it is, keeps whole what it cannot read either, and
   * makes a dead letter of each event of the others.
   */
  const parked = async (scenario: FaultScenario, send: () => Promise<void>, isSplit: boolean) => {
    stack.sqs.setFaults();
    await send();
    await scenario.atRest();
    await stack.recorded();
    const sent = stack.sqs.calls
      .filter(({ action, queue }) => action === "SendMessageBatch" && queue === stack.queue.name)
      .flatMap(({ entries }) => entries.map(({ MessageBody: body = "" }) => textOfMessage(body).text));
    expect(new Set(sent).size).toBe(5);
    const deadLetters = await stack.deadLetters.peek();
    const bodies = deadLetters.map(({ Body: body }) => body);
    if (isSplit) expect(eventsIn(bodies)).toEqual(eventsIn(sent));
    expect(bodies).toHaveLength(isSplit ? eventsIn(sent).size : 5);
    if (!isSplit) expect(new Set(bodies)).toEqual(new Set(sent));
    for (const { MessageAttributes: attributes } of deadLetters) {
      expect(attributes).toMatchObject({
        reason: { StringValue: "unreadable_message" },
        detail: { StringValue: expect.stringContaining("version") },
      });
    }
  };

  const eventsIn = (bodies: readonly (string | undefined)[]) =>
    new Set(
      bodies.flatMap((body = "") =>
        (JSON.parse(textOfMessage(body).text) as { events: { id: string }[] }).events.map(({ id }) => id),
      ),
    );

  const replayed = async (scenario: FaultScenario) => {
    const replay = await runScript("replay", ["--data-dir", stack.dataDir]);
    expect(replay).toMatchObject({ code: 0, stderr: expect.not.stringContaining("error") });
    await scenario.atRest();
    await stack.recorded();
    expect(await stack.deadLetters.depth()).toBe(0);
  };
});

describe("a dead-letter queue that takes nothing", () => {
  const refused = sized(2, 20);

  faultCase(
    "F30",
    "dead-letter send fails",
    () => stack,
    async (scenario) => {
      const from = stack.lines.length;
      const count = sized(100, 10_000);
      const every = count / refused;
      await stack.ask("alter table events add constraint no_refused check (data -> 'refused' is null) not valid");
      try {
        const deadLetterSends = { action: "SendMessageBatch", queue: stack.deadLetters.name };
        stack.sqs.setFaults({ kind: "failEntries", ...deadLetterSends, entries: () => "sender" });
        await scenario.deliver(
          scenario.events(count, (index) => (index % every === 7 ? { index, refused: true } : { index })),
          { perRequest: 20 },
        );
        await eventually(
          async () => total(batchLines(stack, from), "failedMessages"),
          (failures) => failures >= 2 * refused,
        );
        // Now it tries again and again until it gives up for this time.
        if (isFull()) {
          stack.sqs.setFaults({ kind: "unavailable", ...deadLetterSends });
          await delay(60_000);
        }
        expect(stack.sqs.calls.filter(({ queue }) => queue === stack.deadLetters.name)).not.toEqual([]);
        // What cannot be dead-lettered takes its consumers' time, but not all of it.
        await eventually(
          () => storedIds(scenario),
          ({ length }) => length === count - refused,
          sized(60_000, 90_000),
        );
        expect(await stack.queue.depth()).toBeGreaterThanOrEqual(refused);
        expect(await stack.deadLetters.depth()).toBe(0);

        await scenario.heal();
        await scenario.atRest();
        await stack.recorded();
        // A call that got no answer in time may have been done, and is made again.
        const unanswered = stack.sqs.calls
          .filter(({ queue, isUnanswered }) => queue === stack.deadLetters.name && isUnanswered)
          .flatMap(({ entries }) => entries);
        const doubled = (await stack.deadLetters.depth()) - refused;
        expect(doubled).toBeGreaterThanOrEqual(0);
        expect(doubled).toBeLessThanOrEqual(unanswered.length);
        scenario.note(`${total(batchLines(stack, from), "failedMessages")} times a message came again`);
      } finally {
        await stack.ask("alter table events drop constraint no_refused");
      }
    },
    { deadLetters: refused, deadLetteredTwice: true },
  );
});

describe("deletions", () => {
  for (const [kind, what] of [
    ["dropBefore", "lost"],
    ["dropAfter", "answered to nobody"],
    ["throttled", "throttled"],
  ] as const) {
    faultCase(
      "F1",
      `stored, and the deletion of its message ${what}`,
      () => stack,
      briefly(sized(6, 40), async (scenario) => {
        stack.sqs.setFaults({ kind, action: "DeleteMessageBatch", calls: sized(2, 40) });
        await scenario.deliver(scenario.events(sized(40, 10_000)), { perRequest: 10 });
        await scenario.atRest();
        expect(stack.sqs.applied).toBeGreaterThan(0);
        scenario.note(`${stack.sqs.applied} deletions`);
      }),
    );
  }
});

describe("receives that come to nothing", () => {
  faultCase(
    "F32",
    "received by the count of the queue, but the answer was lost",
    () => stack,
    briefly(sized(1, 6), async (scenario) => {
      let receives = 0;
      stack.sqs.setFaults({ kind: "dropAfter", action: "ReceiveMessage", where: () => ++receives % 2 === 1 });
      await scenario.deliver(scenario.events(sized(100, 10_000)), { perRequest: sized(5, 10) });
      await scenario.atRest();
      expect(stack.sqs.applied).toBeGreaterThan(0);
      scenario.note(`${stack.sqs.applied} receives of messages lost`);
    }),
  );

  faultCase(
    "F33",
    "consumer throttled for several visibility timeouts",
    () => stack,
    briefly(sized(1, 6), async (scenario) => {
      const from = stack.lines.length;
      const until = Date.now() + sized(3_000, 60_000);
      const busy = () => Date.now() < until;
      orderConsumer(stack, ({ point }) => (point === "beforeStore" && busy() ? delay(4_000, "go") : "go"));
      await scenario.deliver(scenario.events(sized(100, 10_000)), { perRequest: sized(2, 20) });
      const back = await eventually(
        async () => logged(from, "no capacity before their visibility timeout"),
        (count) => !busy() && count >= sized(3, 30),
        200_000,
      );
      await scenario.heal();
      scenario.note(`${back} batches went back without an invocation`);
    }),
  );
});

/** The event source on every answer: test/unit/localstack/event-source-outcome.test.ts. */
describe("a consumer that does not answer for its batch", () => {
  faultCase(
    "F34",
    "consumer throws before and after it has stored, and its answers are lost",
    () => stack,
    briefly(2, async (scenario) => {
      const from = stack.lines.length;
      const most = sized(8, 300);
      let lost = 0;
      orderConsumer(stack, ({ point, count }) => {
        if (!POINTS.includes(point) || count > most || count % 3 !== 2) return "go";
        if (point !== "beforeAnswer" || count % 2 === 0) return "throw";
        lost += 1;
        return "kill";
      });
      await scenario.deliver(scenario.events(sized(100, 10_000)), { perRequest: sized(2, 10) });
      await scenario.atRest();
      const errors = POINTS.map((point) => logged(from, `Ordered by the fault test at ${point}`));
      expect(Math.min(...errors, lost)).toBeGreaterThan(0);
      const copies = await copiesFound(from);
      scenario.note(`errors ${errors.join(" + ")} times, ${lost} answers lost; ${copies} events found stored already`);
    }),
  );

  const POINTS = ["beforeStore", "afterStore", "beforeAnswer"];
});

describe("a stack that is stopped", () => {
  faultCase(
    "F46",
    "SIGTERM in the middle of a batch, and a new start on the same data",
    () => stack,
    briefly(sized(6, 40), async (scenario) => {
      const from = stack.lines.length;
      const stops = sized(1, 10);
      for (let stop = 0; stop < stops; stop++) {
        const delivered = scenario.deliver(scenario.events(sized(100, 1_000)), {
          perRequest: sized(5, 25),
          connections: 4,
          requestsPerSecond: 20,
        });
        // The stop has to give up one batch; another ends while it waits.
        await batchHeldAt(stack, "afterStore", new Promise(() => undefined));
        await batchHeldAt(stack, "beforeStore", delay(500, "go"));
        await stack.restart();
        await delivered;
      }
      await scenario.heal();
      await scenario.atRest();

      const copies = await copiesFound(from);
      scenario.note(`${stops} stops; ${copies} events found stored already`);
    }),
  );

  faultCase(
    "F46",
    "consumer frozen for longer than the visibility timeout, or asked to end",
    () => stack,
    briefly(2, async (scenario) => {
      const from = stack.lines.length;
      const most = sized(2, 20);
      const thawed: Promise<void>[] = [];
      orderConsumer(stack, ({ point, pid, count }) => {
        if (point !== "beforeStore" || count > most) return "go";
        if (count % 2 === 0) process.kill(pid, "SIGTERM");
        else thawed.push(freeze(pid, 3_000));
        return "go";
      });
      await scenario.deliver(scenario.events(sized(100, 10_000)), { perRequest: 10 });
      await scenario.atRest();
      await Promise.all(thawed);
      expect(thawed).toHaveLength(most / 2);
      const copies = await copiesFound(from);
      scenario.note(`${most / 2} frozen, ${most / 2} ended; ${copies} events found stored already`);
    }),
  );
});
