import { beforeEach, describe, expect, it } from "vitest";
import type { BatchOutcome } from "../../../functions/core/batch.ts";
import type { MetricCounts } from "../../../functions/core/metric-names.ts";
import type { ConsumerLag } from "../../../functions/core/feed.ts";
import type { ReceivedMessage } from "../../../functions/core/queue-message.ts";
import type { Wake } from "../../../functions/core/wakes.ts";
import { markStores } from "../../../functions/consume/mark-stores.ts";

let counts: MetricCounts;
let steps: string[];
let isDown: boolean;
let failures: unknown[];
let lags: (ConsumerLag | undefined)[];
let isSubscribed: boolean;
let isQueueDown: boolean;
let wakes: Wake[];
let unsent: string[];
let asked: number;
let isAskedFor: boolean;
const now = 1_000_000;
let rule: ReturnType<typeof markStores>;
beforeEach(() => {
  counts = { EventsStored: 1, EventsDuplicate: 0 };
  steps = [];
  isDown = false;
  failures = [];
  lags = [];
  isSubscribed = false;
  isQueueDown = false;
  wakes = [];
  unsent = [];
  asked = 0;
  isAskedFor = true;
  const outcome = (): BatchOutcome => ({
    remaining: [],
    level: "info",
    fields: { failedMessages: 0, requeuedMessages: 0 },
    metrics: counts,
  });
  rule = markStores(
    async () => {
      steps.push("store");
      return outcome();
    },
    {
      marker: {
        async change(lag) {
          if (isDown) throw new Error("down");
          steps.push("mark");
          lags.push(lag);
          return { isSubscribed };
        },
      },
      wakes: {
        async send(wake) {
          if (isQueueDown) return false;
          steps.push("wake");
          wakes.push(wake);
          return true;
        },
      },
      ask: async () => {
        asked += 1;
        return isAskedFor;
      },
      clock: () => new Date(now),
      onFailure: (error) => failures.push(error),
      onUnsent: (what) => unsent.push(what),
    },
  );
});

describe("the mark of stored events", () => {
  it("the mark changes after events are stored, and never before", async () => {
    await rule([], 0);

    expect(steps).toEqual(["store", "mark"]);
  });

  it("the mark changes after copies too, because the process that stored the first may have ended", async () => {
    counts = { EventsStored: 0, EventsDuplicate: 3 };

    await rule([], 0);

    expect(steps).toEqual(["store", "mark"]);
  });

  it("the mark stays where nothing is stored", async () => {
    counts = { EventsStored: 0, EventsDuplicate: 0, MessagesFailed: 2 };

    await rule([], 0);

    expect(steps).toEqual(["store"]);
  });

  it("a change that fails leaves the batch as it is, and is made after the next one", async () => {
    isDown = true;
    expect(await rule([], 0)).toMatchObject({ metrics: { EventsStored: 1 } });
    expect(failures).toHaveLength(1);
    isDown = false;
    counts = {};

    await rule([], 0);
    await rule([], 0);

    expect(steps.filter((step) => step !== "wake")).toEqual(["store", "store", "mark", "store"]);
  });

  it("the mark has the age of the oldest message that was tried for the first time", async () => {
    const message = (attempts: number, firstSentAt: number) => ({ attempts, firstSentAt }) as ReceivedMessage;

    await rule([message(1, now - 2_000), message(1, now - 45_000), message(2, now - 900_000)], 0);
    await rule([message(7, now - 900_000)], 0);

    expect(lags).toEqual([{ lagMs: 45_000, at: now }, undefined]);
  });
});

describe("the wake-up of the workers", () => {
  it("the workers are woken after the mark where somebody subscribes, and not where nobody does", async () => {
    await rule([], 0);
    isSubscribed = true;
    await rule([], 0);

    expect(steps).toEqual(["store", "mark", "store", "mark", "wake"]);
    expect(wakes).toEqual([{}]);
  });

  it("a consumer that was killed before or behind the mark wakes the workers when its batch comes again as copies", async () => {
    isSubscribed = true;
    counts = { EventsStored: 0, EventsDuplicate: 5 };

    await rule([], 0);

    expect(steps).toEqual(["store", "mark", "wake"]);
  });

  it("the workers are woken where the mark cannot be changed, because somebody may subscribe", async () => {
    isDown = true;

    await rule([], 0);

    expect(steps).toEqual(["store", "wake"]);
  });

  it("a wake-up that the queue does not confirm fails no batch, and is sent after the next one", async () => {
    isSubscribed = true;
    isQueueDown = true;
    expect(await rule([], 0)).toMatchObject({ remaining: [], metrics: { EventsStored: 1 } });
    expect(unsent).toEqual(["wake"]);
    isQueueDown = false;
    counts = {};

    await rule([], 0);
    await rule([], 0);

    expect(steps).toEqual(["store", "mark", "store", "wake", "store"]);
  });

  it("a batch of which nothing is stored wakes nobody", async () => {
    isSubscribed = true;
    counts = { EventsStored: 0, MessagesFailed: 2 };

    await rule([], 0);

    expect(steps).toEqual(["store"]);
  });
});

describe("the request for a snapshot of the ledger", () => {
  it("a snapshot is asked for behind stored events and behind copies, also where the mark cannot be changed", async () => {
    isDown = true;
    await rule([], 0);
    counts = { EventsStored: 0, EventsDuplicate: 3 };
    await rule([], 0);

    expect(asked).toBe(2);
  });

  it("a batch of which nothing is stored asks for none", async () => {
    counts = { EventsStored: 0, MessagesFailed: 2 };

    await rule([], 0);

    expect(asked).toBe(0);
  });

  it("a request that the queue does not confirm fails no batch, and is sent after the next one", async () => {
    isAskedFor = false;
    expect(await rule([], 0)).toMatchObject({ remaining: [], metrics: { EventsStored: 1 } });
    expect(unsent).toEqual(["snapshot"]);
    isAskedFor = true;
    counts = {};

    await rule([], 0);
    await rule([], 0);

    expect(asked).toBe(2);
  });
});
