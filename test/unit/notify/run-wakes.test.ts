import { beforeEach, describe, expect, it } from "vitest";
import { DatabaseError } from "../../../functions/core/errors.ts";
import type { ReceivedMessage } from "../../../functions/core/queue-message.ts";
import { NOTIFY_VISIBILITY_SECONDS } from "../../../functions/core/queue-limits.ts";
import { createRunWakes } from "../../../functions/notify/run-wakes.ts";
import type { Woken, WorkOutcome } from "../../../functions/notify/work.ts";
import { createWorld, START } from "./support.ts";

const OUTCOME: WorkOutcome = {
  matched: 3,
  taken: 0,
  delivered: 2,
  later: 1,
  failed: 0,
  disabled: 0,
  warned: 0,
  unsent: 0,
  lagMs: 2_600,
  subscriptions: 1,
  failing: [],
  failure: undefined,
  isWakeSure: true,
};

let world: ReturnType<typeof createWorld>;
let woken: Woken[];
let outcome: WorkOutcome;
beforeEach(() => {
  world = createWorld();
  woken = [];
  outcome = OUTCOME;
});

const inSeconds = (seconds: number) => new Date(START + seconds * 1_000).toISOString();
const message = (body: unknown, receiveCount = 1): ReceivedMessage =>
  ({ messageId: "m", body: typeof body === "string" ? body : JSON.stringify(body), receiveCount }) as ReceivedMessage;

function run(...messages: ReceivedMessage[]) {
  const work = async (each: Woken) => {
    woken.push(each);
    return outcome;
  };
  return createRunWakes({ work, ...world.queueOf })(messages, START + 60_000);
}

describe("a worker that may be killed", () => {
  it("the messages of a round come again soon after the end of its time, and those that came often do not", async () => {
    await run(message({}), message({ until: inSeconds(-1) }, 3), message({}, 4), message({ until: inSeconds(60) }));

    expect(world.hidden).toEqual([
      { receiveCount: 1, seconds: 65 },
      { receiveCount: 3, seconds: 65 },
    ]);
  });

  it("a message that a round leaves in the queue waits for the visibility timeout", async () => {
    outcome = { ...OUTCOME, isWakeSure: false };

    const { remaining } = await run(message({}));

    expect(remaining).toHaveLength(1);
    expect(world.hidden.map(({ seconds }) => seconds)).toEqual([65, NOTIFY_VISIBILITY_SECONDS]);
  });

  it("a queue that hides messages for less time is left as it is", async () => {
    const work = async () => outcome;
    await createRunWakes({ work, ...world.queueOf, visibilitySeconds: 60 })([message({})], START + 60_000);

    expect(world.hidden).toEqual([]);
  });
});

describe("the wake-ups of an invocation", () => {
  it("any number of wake-ups is one round", async () => {
    const { remaining, fields, metrics } = await run(message({}), message({}), message({ until: inSeconds(-1) }));

    expect(woken).toEqual([{ tries: 0, isRepeated: false }]);
    expect(remaining).toEqual([]);
    expect(fields.deliveries).toMatchObject({ matched: 3, delivered: 2, later: 1 });
    expect(metrics).toMatchObject({ DeliveriesDelivered: 2, DeliveriesRetried: 1, DeliveryLagSeconds: 3 });
  });

  it("a wake-up that waits makes no round, and goes on with the delay that is left, at most a quarter of an hour", async () => {
    await run(message({ until: inSeconds(7), tries: 2 }), message({ until: inSeconds(7_200.5) }));

    expect(woken).toEqual([]);
    expect(world.queued).toEqual([
      { wake: { until: inSeconds(7), tries: 2 }, visibleAt: 7_000, receiveCount: 0 },
      { wake: { until: inSeconds(7_200.5) }, visibleAt: 900_000, receiveCount: 0 },
    ]);
  });

  it("copies of a wake-up that waits go on as one", async () => {
    const { remaining } = await run(message({ until: inSeconds(7) }), message({ until: inSeconds(7) }));

    expect(world.queued).toHaveLength(1);
    expect(remaining).toEqual([]);
  });

  it("a wake-up that waits stays in its queue where its next message is not confirmed", async () => {
    world.state.isQueueDown = true;

    const { remaining, level } = await run(message({ until: inSeconds(7) }), message({}));

    expect(remaining.map(({ body }) => body)).toEqual([JSON.stringify({ until: inSeconds(7) })]);
    expect([level, woken.length]).toEqual(["warn", 1]);
  });

  it("a round is as new as the newest of its wake-ups, and repeated where one of them was received before", async () => {
    await run(message({ tries: 4 }), message({ tries: 2 }, 2));

    expect(woken).toEqual([{ tries: 2, isRepeated: true }]);
  });

  it.each(["no JSON", "[]", '{"until":"tomorrow"}', '{"tries":-1}', '{"tries":"1"}'])(
    "a message %s, which is no wake-up, stays in its queue",
    async (body) => {
      const { remaining, level } = await run(message(body));

      expect([remaining.length, level, woken.length]).toEqual([1, "warn", 0]);
    },
  );

  it("wake-ups stay in their queue where the next one is not confirmed, or the round met an error", async () => {
    outcome = { ...OUTCOME, isWakeSure: false };
    expect((await run(message({}), message({}))).remaining).toHaveLength(2);

    const failure = new TypeError("a fault of ours");
    outcome = { ...OUTCOME, failure, isWakeSure: false };
    expect(await run(message({}))).toMatchObject({ error: failure, level: "warn" });
  });

  it("an outage is no error: the wake-up after it is sent", async () => {
    const failure = new DatabaseError({ disposition: "retry", reason: "database_unavailable", detail: "" });
    outcome = { ...OUTCOME, failure };

    const { error, remaining, level } = await run(message({}));

    expect([error, remaining, level]).toEqual([undefined, [], "warn"]);
  });
});
