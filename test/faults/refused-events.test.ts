import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runScript } from "../support/run-script.ts";
import { batchLines } from "./support/batch-lines.ts";
import { faultCase, type FaultScenario, sized } from "./support/fault-case.ts";
import { startFaultStack, type FaultStack } from "./support/fault-stack.ts";

/** A database that refuses every event with a member `refused` in its data, which ingest knows nothing about. */
let stack: FaultStack;
beforeAll(async () => {
  stack = await startFaultStack({ replayTimeoutSeconds: 12, visibilitySeconds: 60 });
  await refuseMarked(true);
});
afterAll(() => stack?.remove());

const refuseMarked = (refuse: boolean) =>
  stack.ask(
    refuse
      ? "alter table events add constraint no_refused check (data -> 'refused' is null) not valid"
      : "alter table events drop constraint no_refused",
  );
const markedAt = (places: readonly number[]) => (index: number) =>
  places.includes(index) ? { index, refused: true } : { index };

describe("an event that the database refuses", () => {
  /** All of them in the queue before the consumer gets the first, so that one invocation has them all. */
  const inOneBatch = async (scenario: FaultScenario, places: readonly number[]) => {
    await scenario.hold();
    const from = stack.lines.length;
    await scenario.deliver(scenario.events(10_000, markedAt(places)), { perRequest: 1_000 });
    stack.sqs.setFaults();
    await scenario.atRest();
    return batchLines(stack, from);
  };

  faultCase(
    "F15",
    "one refused event in a batch of 10,000",
    () => stack,
    async (scenario) => {
      const lines = await inOneBatch(scenario, [7_777]);
      expect(lines).toMatchObject([{ EventsStored: 9_999, EventsDeadLettered: 1, failedMessages: 0 }]);
    },
    { deadLetters: 1 },
  );

  faultCase(
    "F16",
    "a refused event inside each packed message of 100 events",
    () => stack,
    async (scenario) => {
      const from = stack.lines.length;
      const messages = sized(3, 100);
      const bad = Array.from({ length: messages }, (_, i) => 100 * i + ((37 * i) % 100));
      await scenario.deliver(scenario.events(100 * messages, markedAt(bad)), { perRequest: 100 });
      await scenario.atRest();
      expect(batchLines(stack, from).reduce((sum, { failedMessages }) => sum + failedMessages, 0)).toBe(0);
    },
    { deadLetters: sized(3, 100) },
  );
});

describe("a replay", () => {
  /** Dead letters in the queue, the cause still there. An event may have two where the answer for the first came late. */
  const makeDeadLetters = async (scenario: FaultScenario, count: number): Promise<number> => {
    await scenario.deliver(
      scenario.events(count, (index) => ({ index, refused: true })),
      { perRequest: 100 },
    );
    await scenario.atRest();
    await stack.recorded();
    const depth = await stack.deadLetters.depth();
    expect(depth).toBeGreaterThanOrEqual(count);
    return depth;
  };

  faultCase(
    "F22",
    "replay killed half-way",
    () => stack,
    async (scenario) => {
      const count = await makeDeadLetters(scenario, sized(60, 2_000));
      await refuseMarked(false);
      try {
        let kills = 0;
        stack.failpoints.order(({ functionName, point }) => {
          // The first message that replay sends starts its first step.
          const hasTaken = stack.failpoints.hits.some((hit) => hit.point === "afterTake");
          if (functionName !== "replay" || point !== "afterSend" || !hasTaken || kills > 0) return "go";
          kills += 1;
          return "kill";
        });
        const from = stack.lines.length;
        const replay = await runScript("replay", ["--data-dir", stack.dataDir]);
        expect(replay).toMatchObject({ code: 0 });
        expect(kills).toBe(1);
        await scenario.atRest();
        await stack.recorded();
        expect(await stack.deadLetters.depth()).toBe(0);
        const copies = batchLines(stack, from).reduce((sum, { EventsDuplicate }) => sum + EventsDuplicate, 0);
        scenario.note(`${count} sent, ${copies} of them twice`);
      } finally {
        stack.failpoints.order();
        await refuseMarked(true);
      }
    },
  );

  faultCase(
    "F23",
    "replay of a dead letter that is still refused",
    () => stack,
    async (scenario) => {
      await makeDeadLetters(scenario, 3);
      const replay = () => runScript("replay", ["--data-dir", stack.dataDir, "--max-replays", "1"]);

      expect(await replay()).toMatchObject({ code: 0 });
      await scenario.deliver(scenario.events(20));
      await scenario.atRest();
      await stack.recorded();
      expect(await stack.deadLetters.depth()).toBe(3);

      const again = await replay();
      expect(again.stdout).toContain("0 events replayed");
      const { stdout: listed } = await runScript("dead-letters", ["list", "--json", "--data-dir", stack.dataDir]);
      const deadLetters = listed.trimEnd().split("\n");
      expect(deadLetters.map((line) => (JSON.parse(line) as { replays: number }).replays)).toEqual([1, 1, 1]);
    },
    { deadLetters: 3 },
  );
});

describe("an id that comes again with another content", () => {
  faultCase(
    "F44",
    "same id, another payload: the first is kept and the conflict counted",
    () => stack,
    async (scenario) => {
      const first = scenario.events(sized(40, 10_000));
      await scenario.deliver(first, { perRequest: 100 });
      await scenario.atRest();
      const from = stack.lines.length;

      // Every second one differs, the others are copies.
      const again = first.map((event, index) => (index % 2 === 0 ? { ...event, data: { index: -1 } } : event));
      await scenario.deliver(again, { perRequest: 100 });
      await scenario.atRest();

      const sum = (name: "EventsStored" | "EventsDuplicate" | "EventsConflicting") =>
        batchLines(stack, from).reduce((total, line) => total + line[name], 0);
      expect([sum("EventsStored"), sum("EventsConflicting")]).toEqual([0, first.length / 2]);
      expect(
        await stack.ask("select 1 from events where source = $1 and (data -> 'index')::int < 0", [scenario.source]),
      ).toEqual([]);
    },
  );
});

describe("the queues", () => {
  it("F31 keep a dead letter longer than a message that may still become one", async () => {
    const seconds = async (url: string) => {
      const { Attributes } = await stack.queue.client.send(
        new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["MessageRetentionPeriod"] }),
      );
      return Number(Attributes?.["MessageRetentionPeriod"]);
    };
    const day = 24 * 3_600;

    expect(await seconds(stack.queue.url)).toBeLessThanOrEqual(4 * day);
    expect(await seconds(stack.deadLetters.url)).toBe(14 * day);
  });
});
