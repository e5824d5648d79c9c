import { beforeEach, describe, expect, it } from "vitest";
import type { BatchOutcome } from "../../../functions/core/batch.ts";
import type { MetricCounts } from "../../../functions/core/metric-names.ts";
import type { ConsumerLag } from "../../../functions/core/feed.ts";
import type { ReceivedMessage } from "../../../functions/core/queue-message.ts";
import type { StatusMessage } from "../../../functions/core/status-message.ts";
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
let requests: StatusMessage[];
let deadlines: number[];
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
  requests = [];
  deadlines = [];
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
        async change(lag, deadline) {
          deadlines.push(deadline);
          if (isDown) throw new Error("down");
          steps.push("mark");
          lags.push(lag);
          return { isSubscribed };
        },
      },
      wakes: {
        async send(wake, _, deadline) {
          deadlines.push(deadline);
          if (isQueueDown) return false;
          steps.push("wake");
          wakes.push(wake);
          return true;
        },
      },
      ask: async (deadline) => {
        deadlines.push(deadline);
        asked += 1;
        return isAskedFor;
      },
      messages: {
        async send(message) {
          if (isQueueDown) return false;
          requests.push(message);
          return true;
        },
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

  it("a change that fails leaves the batch as it is, and is asked of the function status", async () => {
    isDown = true;
    expect(await rule([], 0)).toMatchObject({ remaining: [], metrics: { EventsStored: 1 } });
    expect(failures).toHaveLength(1);
    expect(requests).toEqual([{ kind: "mark" }]);
    isDown = false;
    counts = {};

    await rule([], 0);

    expect(requests).toHaveLength(1);
    expect(steps.filter((step) => step !== "wake")).toEqual(["store", "store"]);
  });

  it("a change that fails and that the queue takes no request for is made after the next batch", async () => {
    isDown = true;
    isQueueDown = true;
    expect(await rule([], 0)).toMatchObject({ remaining: [], metrics: { EventsStored: 1 } });
    expect(unsent).toContain("mark");
    isDown = false;
    isQueueDown = false;
    counts = {};

    await rule([], 0);
    await rule([], 0);

    expect(steps.filter((step) => step !== "wake")).toEqual(["store", "store", "mark", "store"]);
    expect(requests).toEqual([]);
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

describe("the time for what is behind a batch", () => {
  it("a call has half of the time that is left, so that a process may open its connections", async () => {
    isSubscribed = true;

    await rule([], now + 7_000);

    expect(deadlines).toEqual([now + 3_000, now + 3_000, now + 3_000]);
  });

  it("a call takes no longer than seconds, and two of them fit into the last one", async () => {
    await rule([], now + 60_000);
    await rule([], now);

    expect(deadlines).toEqual([now + 5_000, now + 5_000, now + 400, now + 400]);
  });

  it("behind a batch whose calls failed each call has the least time, until all succeed", async () => {
    isDown = true;
    isAskedFor = false;
    await rule([], now + 60_000);
    deadlines = [];

    await rule([], now + 60_000);
    isDown = false;
    isAskedFor = true;
    await rule([], now + 60_000);
    const [change, ask] = [deadlines[0], deadlines[1]];
    deadlines = [];
    await rule([], now + 60_000);

    expect([change, ask]).toEqual([now + 400, now + 400]);
    expect(deadlines).toEqual([now + 5_000, now + 5_000]);
  });
});
