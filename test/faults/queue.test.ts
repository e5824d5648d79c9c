import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { GetQueueAttributesCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { eventually } from "../e2e/support.ts";
import { batchLines } from "./support/batch-lines.ts";
import type { SentEvent } from "./support/client.ts";
import { faultCase, type Scene, sized } from "./support/fault-case.ts";
import { startWorld, type World } from "./support/world.ts";

const VISIBILITY_SECONDS = 3;

/** Small batches, and two invocations at once where the event source would have five. */
let world: World;
beforeAll(async () => {
  world = await startWorld({
    visibilitySeconds: VISIBILITY_SECONDS,
    functionTimeoutSeconds: 15,
    batchMessages: 5,
    windowSeconds: 0,
    reservedConcurrency: 2,
  });
});
afterAll(() => world?.remove());

const DELETIONS = { dropBefore: "lost", dropAfter: "answered to nobody", throttled: "throttled" };

const duplicates = (from: number) =>
  batchLines(world, from).reduce((sum, { EventsDuplicate: copies }) => sum + copies, 0);

describe("messages that come more than once", () => {
  faultCase(
    "F10",
    "each message twice in one batch",
    () => world,
    async (scene) => {
      await scene.hold();
      await scene.deliver(scene.events(sized(60, 10_000)), { perRequest: 10 });
      world.sqs.setFaults({ kind: "duplicate", action: "ReceiveMessage" });
      await scene.atRest();
      expect(world.sqs.applied).toBeGreaterThan(0);
    },
  );

  faultCase(
    "F10",
    "each message again in another batch, and each event in two messages",
    () => world,
    async (scene) => {
      const from = world.lines.length;
      await scene.hold();
      const events = scene.events(sized(60, 10_000));
      await scene.deliver(events, { perRequest: 10 });
      await scene.deliver(events, { perRequest: 7 });
      world.sqs.setFaults({ kind: "again", action: "ReceiveMessage" });
      await scene.atRest();
      expect(duplicates(from)).toBeGreaterThan(events.length);
      scene.note(`${duplicates(from)} copies recognized`);
    },
  );
});

describe("a rolling deployment", () => {
  const put = async (scene: Scene, event: SentEvent, envelope: Record<string, unknown>) => {
    const { client, url } = world.queue;
    const receivedAt = new Date().toISOString();
    const events = [{ ...event, time: receivedAt }];
    const body = { version: 1, tenant: "default", receivedAt, events, ...envelope };
    await client.send(
      new SendMessageCommand({ QueueUrl: url, MessageBody: JSON.stringify(body), MessageGroupId: "default" }),
    );
    scene.accept([event]);
  };

  faultCase(
    "F29",
    "an envelope of the next version, and one of today's with members nobody knows yet",
    () => world,
    async (scene) => {
      const [next, extended] = scene.events(2) as [SentEvent, SentEvent];
      await put(scene, next, { version: 2, compressed: true });
      await put(scene, extended, { traceparent: randomUUID() });
      await scene.atRest();
      await eventually(world.deadLetters.depth, (depth) => depth === 1);
      expect(await world.ask("select id from events where source = $1", [scene.source])).toEqual([{ id: extended.id }]);
    },
    { deadLetters: 1 },
  );
});

describe("the dead-letter queue", () => {
  faultCase(
    "F30",
    "dead-letter send fails",
    () => world,
    async (scene) => {
      const from = world.lines.length;
      await world.ask("alter table events add constraint no_poison check (data -> 'poison' is null) not valid");
      try {
        world.sqs.setFaults({ kind: "unavailable", action: "SendMessageBatch", queue: "sluice-dev-dead-letters" });
        await scene.deliver(scene.events(20, (index) => (index === 7 ? { index, poison: true } : { index })));
        await eventually(
          async () => batchLines(world, from),
          (lines) => lines.some((line) => line.failedMessages > 0),
        );
        expect([await world.queue.depth(), await world.deadLetters.depth()]).toEqual([1, 0]);

        world.sqs.setFaults();
        await scene.atRest();
        // Two, where the message was already with another consumer again.
        expect(await world.deadLetters.depth()).toBeGreaterThan(0);
      } finally {
        await world.ask("alter table events drop constraint no_poison");
      }
    },
    { deadLetters: 1, lettersTwice: true },
  );
});

describe("deletions", () => {
  for (const kind of ["dropBefore", "dropAfter", "throttled"] as const) {
    faultCase(
      "F1",
      `stored, and the deletion of its message ${DELETIONS[kind]}`,
      () => world,
      async (scene) => {
        world.sqs.setFaults({ kind, action: "DeleteMessageBatch", calls: sized(2, 40) });
        await scene.deliver(scene.events(sized(40, 10_000)), { perRequest: 10 });
        await scene.atRest();
        expect(world.sqs.applied).toBeGreaterThan(0);
        scene.note(`${world.sqs.applied} deletions`);
      },
    );
  }
});

describe("receives that come to nothing", () => {
  faultCase(
    "F32",
    "received by the queue's count, but the answer was lost",
    () => world,
    async (scene) => {
      await scene.hold();
      await scene.deliver(scene.events(sized(40, 10_000)), { perRequest: 10 });
      world.sqs.setFaults({ kind: "dropAfter", action: "ReceiveMessage" });
      const hidden = async () => {
        const name = "ApproximateNumberOfMessagesNotVisible";
        const command = new GetQueueAttributesCommand({ QueueUrl: world.queue.url, AttributeNames: [name] });
        return Number((await world.queue.client.send(command)).Attributes?.[name]);
      };
      const lost = await eventually(hidden, (messages) => messages > 0);
      world.sqs.setFaults();
      await scene.atRest();
      scene.note(`${lost} messages received by nobody`);
    },
  );

  faultCase(
    "F33",
    "consumer throttled for longer than its messages are hidden",
    () => world,
    async (scene) => {
      const from = world.lines.length;
      world.failpoints.order(({ stage, point, count }) =>
        stage === "consume" && point === "beforeStore" && count <= sized(2, 20)
          ? delay(2 * VISIBILITY_SECONDS * 1_000, "go")
          : "go",
      );
      await scene.deliver(scene.events(sized(60, 10_000)), { perRequest: 1 });
      await scene.atRest();
      const back = world.lines
        .slice(from)
        .filter((line) => line.includes("no capacity before their visibility timeout"));
      expect(back).not.toEqual([]);
      scene.note(`${back.length} batches went back without having been run`);
    },
  );
});

describe("a consumer whose answer is an error", () => {
  for (const [point, when] of [
    ["beforeStore", "before the statement"],
    ["afterStore", "after the commit"],
    ["beforeAnswer", "before the answer"],
  ]) {
    faultCase(
      "F34",
      `an error thrown ${when} never counts as success`,
      () => world,
      async (scene) => {
        let errors = 0;
        world.failpoints.order(({ stage, point: at, count }) => {
          if (stage !== "consume" || at !== point || count % 2 === 0 || errors === sized(3, 100)) return "go";
          errors += 1;
          return "throw";
        });
        await scene.deliver(scene.events(sized(40, 10_000)), { perRequest: 4 });
        await scene.atRest();
        expect(errors).toBeGreaterThan(0);
        scene.note(`${errors} errors`);
      },
    );
  }
});

describe("a stack that is stopped", () => {
  faultCase(
    "F46",
    "SIGTERM in the middle of batches, and a new start",
    () => world,
    async (scene) => {
      let stopped = 0;
      for (let round = 0; round < sized(1, 5); round++) {
        const stuck = Promise.withResolvers<void>();
        world.failpoints.order(({ stage, point }) => {
          if (stage !== "consume" || point !== "afterStore") return "go";
          stopped += 1;
          stuck.resolve();
          // Longer than a stop waits for what is under way.
          return delay(10_000, "go");
        });
        await scene.deliver(scene.events(sized(40, 2_000)), { perRequest: 10 });
        await stuck.promise;
        await world.restart();
        world.failpoints.order();
      }
      await scene.atRest();
      expect(stopped).toBeGreaterThan(0);
      scene.note(`${stopped} batches under way when it was stopped`);
    },
  );
});
