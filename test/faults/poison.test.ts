import { spawn } from "node:child_process";
import { once } from "node:events";
import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { runScript } from "../support/run-script.ts";
import { batchLines } from "./support/batch-lines.ts";
import { faultCase, type Scene, sized } from "./support/fault-case.ts";
import { startWorld, type World } from "./support/fault-stack.ts";

/** A database that refuses every event with a member `poison` in its data, which the door knows nothing about. */
let world: World;
beforeAll(async () => {
  world = await startWorld({ visibilitySeconds: 60 });
  await refusePoison(true);
});
afterAll(() => world?.remove());

const refusePoison = (refuse: boolean) =>
  world.ask(
    refuse
      ? "alter table events add constraint no_poison check (data -> 'poison' is null) not valid"
      : "alter table events drop constraint no_poison",
  );
const poisonAt = (places: readonly number[]) => (index: number) =>
  places.includes(index) ? { index, poison: true } : { index };

describe("an event that the database refuses", () => {
  /** All of them in the queue before the consumer gets the first, so that one invocation has them all. */
  const inOneBatch = async (scene: Scene, poison: readonly number[]) => {
    await scene.hold();
    const from = world.lines.length;
    await scene.deliver(scene.events(10_000, poisonAt(poison)), { perRequest: 1_000 });
    world.sqs.setFaults();
    await scene.atRest();
    return batchLines(world, from);
  };

  faultCase(
    "F15",
    "one poison event in a batch of 10,000",
    () => world,
    async (scene) => {
      const poisoned = await inOneBatch(scene, [7_777]);
      expect(poisoned).toMatchObject([{ EventsStored: 9_999, EventsDeadLettered: 1, failedMessages: 0 }]);
    },
    { deadLetters: 1 },
  );

  faultCase(
    "F16",
    "poison inside a packed message of 100 events",
    () => world,
    async (scene) => {
      const from = world.lines.length;
      const messages = sized(3, 100);
      const bad = Array.from({ length: messages }, (_, i) => 100 * i + ((37 * i) % 100));
      await scene.deliver(scene.events(100 * messages, poisonAt(bad)), { perRequest: 100 });
      await scene.atRest();
      expect(batchLines(world, from).reduce((sum, { failedMessages }) => sum + failedMessages, 0)).toBe(0);
    },
    { deadLetters: sized(3, 100) },
  );
});

describe("a replay", () => {
  /** Dead letters in the queue, the cause still there. An event may have two where the answer for the first came late. */
  const makeLetters = async (scene: Scene, count: number): Promise<number> => {
    await scene.deliver(
      scene.events(count, (index) => ({ index, poison: true })),
      { perRequest: 100 },
    );
    await scene.atRest();
    const letters = await world.deadLetters.depth();
    expect(letters).toBeGreaterThanOrEqual(count);
    return letters;
  };

  faultCase(
    "F22",
    "replay killed half-way",
    () => world,
    async (scene) => {
      const letters = await makeLetters(scene, sized(60, 2_000));
      await refusePoison(false);
      try {
        const killed = spawn(process.execPath, ["scripts/replay.ts", "--data-dir", world.dataDir], { stdio: "ignore" });
        let deletes = 0;
        world.sqs.onCall = ({ action, queue }) => {
          if (!queue.endsWith("dead-letters") || !action.startsWith("DeleteMessage")) return;
          deletes += 1;
          // Letters of this call are sent and not deleted.
          if (deletes === 2) killed.kill("SIGKILL");
          if (deletes >= 2) throw new Error("its connection is gone");
        };
        expect(await once(killed, "exit")).toEqual([null, "SIGKILL"]);
        const left = await world.deadLetters.depth();
        expect(left).toBeGreaterThan(0);
        expect(left).toBeLessThan(letters);
        world.sqs.onCall = undefined;
        // What it had received and not yet written down stays hidden for a while: until then it is not finished.
        await eventually(
          () => runScript("replay", ["--data-dir", world.dataDir]),
          ({ code }) => code === 0,
          200_000,
        );
        expect(await world.deadLetters.depth()).toBe(0);
        await scene.atRest();
        scene.note(`${left} of ${letters} left by the killed run`);
      } finally {
        await refusePoison(true);
      }
    },
  );

  faultCase(
    "F23",
    "replay of a letter that is still bad",
    () => world,
    async (scene) => {
      await makeLetters(scene, 3);
      const replay = () => runScript("replay", ["--data-dir", world.dataDir, "--max-replays", "1"]);

      expect(await replay()).toMatchObject({ code: 0 });
      await scene.deliver(scene.events(20));
      await scene.atRest();
      await eventually(world.deadLetters.depth, (depth) => depth === 3);

      const again = await replay();
      expect(again.stdout).toContain("0 events replayed");
      const { stdout: listed } = await runScript("dead-letters", ["list", "--json", "--data-dir", world.dataDir]);
      const letters = listed.trimEnd().split("\n");
      expect(letters.map((line) => (JSON.parse(line) as { replays: number }).replays)).toEqual([1, 1, 1]);
    },
    { deadLetters: 3 },
  );
});

describe("an id that comes again with another content", () => {
  faultCase(
    "F44",
    "same id, another payload: the first is kept and the conflict counted",
    () => world,
    async (scene) => {
      const first = scene.events(sized(40, 10_000));
      await scene.deliver(first, { perRequest: 100 });
      await scene.atRest();
      const from = world.lines.length;

      // Every second one differs, the others are copies.
      const again = first.map((event, index) => (index % 2 === 0 ? { ...event, data: { index: -1 } } : event));
      await scene.deliver(again, { perRequest: 100 });
      await scene.atRest();

      const sum = (name: "EventsStored" | "EventsDuplicate" | "EventsConflicting") =>
        batchLines(world, from).reduce((total, line) => total + line[name], 0);
      expect([sum("EventsStored"), sum("EventsConflicting")]).toEqual([0, first.length / 2]);
      expect(
        await world.ask("select 1 from events where source = $1 and (data -> 'index')::int < 0", [scene.source]),
      ).toEqual([]);
    },
  );
});

describe("the queues", () => {
  it("F31 keep a dead letter longer than a message that may still become one", async () => {
    const seconds = async (url: string) => {
      const { Attributes } = await world.queue.client.send(
        new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["MessageRetentionPeriod"] }),
      );
      return Number(Attributes?.["MessageRetentionPeriod"]);
    };
    const day = 24 * 3_600;

    expect(await seconds(world.queue.url)).toBeLessThanOrEqual(4 * day);
    expect(await seconds(world.deadLetters.url)).toBe(14 * day);
  });
});
