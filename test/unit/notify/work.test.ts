import { beforeEach, describe, expect, it } from "vitest";
import { AccessError } from "../../../functions/core/access.ts";
import { DatabaseError } from "../../../functions/core/errors.ts";
import {
  CLAIM_LEASE_SECONDS,
  DELIVERIES_IN_FLIGHT,
  IN_FLIGHT_OF_ONE,
  IN_FLIGHT_OF_UNKNOWN,
  DELIVERIES_HELD,
} from "../../../functions/core/subscription-limits.ts";
import type { AttemptResult, Claim, ClaimBounds } from "../../../functions/core/delivery-work.ts";
import { createWork } from "../../../functions/notify/work.ts";
import { createWorld, DOWN, eventOf } from "./support.ts";

let world: ReturnType<typeof createWorld>;
beforeEach(() => {
  world = createWorld();
});

const ids = (from: string, count: number) => Array.from({ length: count }, (_, index) => `${from}${index}`);
const statesOf = () => Object.groupBy(world.memory.deliveries(), ({ state }) => state);
const databaseCalls = () => world.calls.filter((name) => name !== "readMark");

describe("a round", () => {
  it("a round sends each event that matches once, writes that, and leaves nothing to wake up for", async () => {
    await world.subscribe("a");
    world.store("1", "2", "3");

    const outcome = await world.work();

    expect(world.sent.flatMap((each) => each.ids).toSorted()).toEqual(["1", "2", "3"]);
    expect(outcome).toMatchObject({ matched: 3, delivered: 3, later: 0, failed: 0, isWakeSure: true });
    expect(outcome.failure).toBeUndefined();
    expect(statesOf()).toEqual({ delivered: [expect.anything(), expect.anything(), expect.anything()] });
    expect(world.queued).toEqual([]);
  });

  it("a round of a few events takes a handful of calls of the database", async () => {
    await world.subscribe("a");
    world.store("1", "2", "3");

    await world.work();

    expect(databaseCalls()).toEqual(["dispatch", "redeliver", "claim", "settleAndClaim", "nextDueAt"]);
  });

  it("a slow sink does not hold the deliveries of others, nor their results, nor new events", async () => {
    await world.subscribe("slow");
    await world.subscribe("fast");
    world.sinks.set("slow", () => ({ ms: 14_000 }));
    world.store("1");
    const settledAt: number[] = [];
    const { settleAndClaim } = world.deps.work;
    world.deps.work.settleAndClaim = (...args) => {
      settledAt.push(world.time.now());
      return settleAndClaim(...args);
    };
    void world.time.wait(3_000).then(() => world.store("2"));

    await world.work();

    const fast = world.sent.filter(({ sink }) => sink === "fast");
    expect(fast.map((each) => each.ids[0])).toEqual(["1", "2"]);
    expect(fast[0]?.at).toBeLessThan(1_000);
    expect(fast[1]?.at).toBeLessThan(4_000);
    expect(settledAt[0]).toBeLessThan(1_000);
    expect(world.time.now()).toBeLessThan(30_000);
  });

  it("a sink that never answers holds one worker, and the next one ends with the deliveries of the others", async () => {
    for (const name of ["silent", "alive"]) await world.subscribe(name);
    world.sinks.set("silent", () => ({ ms: 20_000 }));
    world.store("1");
    const until = world.time.clock().getTime() + 60_000;
    let endedAt = Infinity;
    const next = async () => {
      await world.time.wait(2_000);
      world.store("2");
      await createWork(world.deps)({ tries: 0, isRepeated: false }, until);
      endedAt = world.time.now();
    };

    await world.time.run(Promise.all([createWork(world.deps)({ tries: 0, isRepeated: false }, until), next()]));

    const sentTo = (name: string) => world.sent.filter(({ sink }) => sink === name);
    expect(sentTo("alive").map((each) => each.ids[0])).toEqual(["1", "2"]);
    expect(endedAt).toBeLessThan(4_000);
    expect(
      sentTo("silent")
        .slice(0, 2)
        .map((each) => each.ids[0]),
    ).toEqual(["1", "2"]);
    expect(sentTo("silent")[1]?.at).toBeLessThan(4_000);
  });

  it("a new event does not wait for a delivery that is due within a second", async () => {
    await world.subscribe("limited", { rate: 1 });
    await world.subscribe("free");
    world.store("1", "2");
    void world.time.wait(200).then(() => world.store("3"));

    await world.work();

    const free = world.sent.filter(({ sink }) => sink === "free");
    expect(free.map((each) => each.ids[0])).toEqual(["1", "2", "3"]);
    expect(free[2]?.at).toBeLessThan(800);
  });

  it("a delivery that becomes due again while another one is under way does not wait for that", async () => {
    await world.subscribe("slow");
    await world.subscribe("flaky");
    world.sinks.set("slow", () => ({ ms: 14_000 }));
    world.sinks.set("flaky", () => ({ outcome: world.time.now() < 4_000 ? DOWN : { kind: "delivered" } }));
    world.store("1");

    await world.work();

    const flaky = world.sent.filter(({ sink }) => sink === "flaky").map(({ at }) => at);
    expect(flaky).toHaveLength(2);
    expect(flaky[1]).toBeLessThan(6_000);
  });

  it("results are written in groups and not one by one", async () => {
    await world.subscribe("a");
    let at = 0;
    world.sinks.set("a", () => ({ ms: (at += 5) }));
    world.store(...ids("e", 500));

    await world.work();

    const settles = world.calls.filter((name) => name.startsWith("settle")).length;
    expect(statesOf()["delivered"]).toHaveLength(500);
    expect(settles).toBeLessThan(60);
  });

  it("no more requests are under way at once than the worker may have", async () => {
    for (const name of ["a", "b", "c", "d"]) {
      await world.subscribe(name);
      world.sinks.set(name, () => ({ ms: 2_000 }));
    }
    world.store(...ids("e", 50));

    await world.work();

    const starts = world.sent.map(({ at }) => at);
    const most = Math.max(...starts.map((from) => starts.filter((at) => at >= from && at < from + 2_000).length));
    expect(world.sent).toHaveLength(200);
    expect(most).toBe(DELIVERIES_IN_FLIGHT);
  });

  it("a sink that never answers has few of a worker's places, and one that answers has half of them", async () => {
    await world.subscribe("silent");
    await world.subscribe("alive");
    world.sinks.set("silent", () => ({ ms: 20_000 }));
    world.sinks.set("alive", () => ({ ms: 1_000 }));
    world.store(...ids("e", 100));

    await world.work();

    const startsOf = (name: string) => world.sent.flatMap(({ sink, at }) => (sink === name ? [at] : []));
    const mostOf = (starts: number[], ms: number) =>
      Math.max(...starts.map((from) => starts.filter((at) => at >= from && at < from + ms).length));
    expect(mostOf(startsOf("silent"), 15_000)).toBe(IN_FLIGHT_OF_UNKNOWN);
    expect(mostOf(startsOf("alive").slice(IN_FLIGHT_OF_UNKNOWN), 1_000)).toBe(IN_FLIGHT_OF_ONE);
    expect(startsOf("alive")).toHaveLength(100);
  });

  it("a round whose time is over gives back what it has not begun, and sends a wake-up at once", async () => {
    for (const name of ["a", "b", "c"]) {
      await world.subscribe(name, { timeoutMs: 30_000 });
      world.sinks.set(name, () => ({ ms: 29_000 }));
    }
    world.store(...ids("e", 100));

    await world.work();

    expect(world.time.now()).toBeLessThan(60_000);
    expect(world.queued.map(({ wake }) => wake)).toEqual([{}]);
    const pending = statesOf()["pending"] ?? [];
    expect(pending.length).toBe(300 - world.sent.length);
    for (const { dueAt } of pending) expect(Date.parse(dueAt ?? "")).toBeLessThanOrEqual(world.time.clock().getTime());
  });

  it("a delivery is never under way when its lease ends", async () => {
    await world.subscribe("a", { timeoutMs: 30_000 });
    world.sinks.set("a", () => ({ ms: 29_999 }));
    world.store(...ids("e", 50));
    const { claim } = world.deps.work;
    let isSlow = true;
    world.deps.work.claim = async (...args) => {
      const claimed = await claim(...args);
      if (isSlow) await world.time.wait(12_000);
      isSlow = false;
      return claimed;
    };

    await world.work();
    expect(world.sent).toEqual([]);
    await world.runQueue();

    expect(world.sent).toHaveLength(50);
    expect(statesOf()["delivered"]).toHaveLength(50);
  });

  it("a database that is too slow for a round is asked again after a while, longer each time", async () => {
    await world.subscribe("a");
    world.store("1");
    await world.work();
    const { dispatch } = world.deps.work;
    world.deps.work.dispatch = async (...args) => {
      await world.time.wait(40_000);
      return dispatch(...args);
    };

    await world.work();
    await world.work({ tries: 5, isRepeated: false });

    expect(world.queued.map(({ wake }) => wake)).toEqual([{ tries: 1 }, { tries: 6 }]);
  });
});

describe("a sink that fails", () => {
  it("a delivery has ten tries over 75 hours through waits in the queue alone, and is then failed", async () => {
    await world.subscribe("a");
    world.sinks.set("a", () => ({ outcome: DOWN }));
    world.store("1");
    await world.work();

    await world.runQueue();

    expect(world.sent).toHaveLength(10);
    expect(world.sent.at(-1)?.at).toBeGreaterThan(75.5 * 3_600_000);
    expect(world.sent.at(-1)?.at).toBeLessThan(76 * 3_600_000);
    expect(statesOf()).toEqual({ failed: [expect.objectContaining({ attempts: 10, code: 503 })] });
    expect(world.queued).toEqual([]);
  });

  it("a wait of hours makes no call of the database until it is over", async () => {
    await world.subscribe("a");
    world.sinks.set("a", () => ({ outcome: DOWN }));
    world.store("1");
    await world.work();
    await world.runQueue(2.7 * 3_600_000);
    const before = world.calls.length;

    const invocations = await world.runQueue(3_600_000);

    expect(invocations).toBeGreaterThanOrEqual(3);
    expect(world.calls.length).toBe(before);
  });

  it("with nothing to deliver hours pass without an invocation and without a call", async () => {
    await world.subscribe("a");
    await world.subscribe("ended");
    world.sinks.set("ended", () => ({ outcome: { kind: "never", isEnded: true, code: 410, error: "410" } }));
    world.store("1");
    await world.work();
    const before = world.calls.length;

    const invocations = await world.runQueue(24 * 3_600_000);

    expect(Object.keys(statesOf())).toEqual(["delivered", "pending"]);
    expect(invocations).toBe(0);
    expect(world.calls.length).toBe(before);
  });

  it("several rounds plan one wake-up for the same wait", async () => {
    await world.subscribe("a");
    world.sinks.set("a", () => ({ outcome: DOWN }));
    world.store("1");

    await world.work();
    await world.work();
    await world.work();

    expect(world.queued).toHaveLength(1);
    expect(world.queued[0]?.visibleAt).toBeGreaterThanOrEqual(5_000);
  });

  it("a round that comes again sends the wake-up that the killed one had planned", async () => {
    await world.subscribe("a");
    world.sinks.set("a", () => ({ outcome: DOWN }));
    world.store("1");
    await world.work();
    world.queued.length = 0;

    await world.work({ tries: 0, isRepeated: true });

    expect(world.queued).toHaveLength(1);
  });

  it("a planned wake-up that was lost in the queue is sent again by the daily one", async () => {
    await world.subscribe("a");
    world.sinks.set("a", () => ({ outcome: DOWN }));
    world.store("1");
    await world.work();
    world.queued.length = 0;

    await world.run([world.messageOf({ isRepeated: true })]);

    expect(world.queued.map(({ wake }) => wake)).toEqual([{ until: expect.any(String) }]);
  });

  it("a round that comes again in an outage passes on that the killed one may have planned a wake-up", async () => {
    await world.subscribe("a");
    world.sinks.set("a", () => ({ outcome: DOWN }));
    world.store("1");
    await world.work();
    world.queued.length = 0;
    world.memory.setDown(true);
    await world.run([world.messageOf({}, 2)]);
    world.memory.setDown(false);

    await world.runQueue();

    expect(world.sent).toHaveLength(10);
  });

  it("a round that comes again, and whose time is over, passes on that the killed one may have planned a wake-up", async () => {
    await world.subscribe("a");
    world.sinks.set("a", () => ({ outcome: DOWN }));
    world.store("1");
    await world.work();
    world.queued.length = 0;
    const { dispatch } = world.deps.work;
    world.deps.work.dispatch = async (...args) => {
      await world.time.wait(1_000);
      return { ...(await dispatch(...args)), matched: 1, isAtEnd: false };
    };

    await world.run([world.messageOf({}, 2)]);

    expect(world.queued.map(({ wake }) => wake)).toEqual([{ isRepeated: true }]);
  });

  it("a wake-up whose plan was written without an answer is sent all the same", async () => {
    await world.subscribe("a");
    world.sinks.set("a", () => ({ outcome: DOWN }));
    world.store("1");
    const { planWake } = world.deps.work;
    let isLost = true;
    world.deps.work.planWake = async (...args) => {
      const isPlanned = await planWake(...args);
      if (!isLost) return isPlanned;
      isLost = false;
      throw new DatabaseError({ disposition: "retry", reason: "timeout", detail: "" });
    };

    await world.work();
    await world.runQueue();

    expect(world.sent).toHaveLength(10);
  });

  it.each([
    ["an hour", 1],
    ["a day", 24],
  ])("a receiver that is down for %s gets each event afterwards, and none twice", async (_time, hours) => {
    await world.subscribe("a");
    const end = hours * 3_600_000;
    world.sinks.set("a", () => ({ outcome: world.time.now() < end ? DOWN : { kind: "delivered" } }));
    for (let part = 0; part < 4; part++) {
      world.store(`e${part}`);
      await world.work();
      await world.runQueue(end / 6);
    }

    await world.runQueue();

    const delivered = world.memory.attempts().filter(({ status }) => status === "delivered");
    expect(delivered.map(({ eventId }) => eventId).toSorted()).toEqual(["e0", "e1", "e2", "e3"]);
    expect(world.queued).toEqual([]);
  });

  it("a sink that takes no more events disables its subscription with a notice, and what waits stays for a new sink", async () => {
    await world.subscribe("a");
    world.sinks.set("a", () => ({ outcome: { kind: "never", isEnded: true, code: 410, error: "410" } }));
    world.store("1", "2");

    const { disabled } = await world.work();

    expect(disabled).toBe(1);
    expect(world.events).toMatchObject([{ type: "sluice.subscription.disabled", subject: "sub_a" }]);
    expect(statesOf()).toEqual({ pending: [expect.anything(), expect.anything()] });
    expect(world.queued).toEqual([]);
  });

  it("a notifier that throws fails neither the round nor the delivery, which is tried again", async () => {
    await world.subscribe("a");
    await world.subscribe("b");
    world.sinks.set("a", () => {
      throw new TypeError("a fault of ours");
    });
    world.store("1");

    const outcome = await world.work();

    expect(outcome).toMatchObject({ delivered: 1, later: 1 });
    expect(outcome.failure).toBeUndefined();
    expect(world.failures).toEqual([expect.any(TypeError)]);
  });
});

describe("a worker that was killed", () => {
  it("the deliveries of a killed worker are sent by another one when its lease is over, and not before", async () => {
    await world.subscribe("a");
    world.store("1", "2");
    await world.memory.work.dispatch(1_000, 0);
    await world.memory.work.claim("killed", { most: 10, mostOfOne: 10, leaseSeconds: CLAIM_LEASE_SECONDS }, 0);

    await world.work();
    expect(world.sent).toEqual([]);
    await world.runQueue();

    expect(world.sent.flatMap((each) => each.ids).toSorted()).toEqual(["1", "2"]);
    for (const { at } of world.sent) expect(at).toBeGreaterThanOrEqual(CLAIM_LEASE_SECONDS * 1_000);
    expect(statesOf()["delivered"]).toHaveLength(2);
  });

  it("two workers at once send each delivery once", async () => {
    for (const name of ["a", "b", "c"]) {
      await world.subscribe(name);
      world.sinks.set(name, () => ({ ms: 300 }));
    }
    world.store(...ids("e", 100));
    const works = [createWork(world.deps), createWork(world.deps)];
    const until = world.time.clock().getTime() + 60_000;

    await world.time.run(Promise.all(works.map((work) => work({ tries: 0, isRepeated: false }, until))));
    await world.runQueue();

    const keys = world.sent.map(({ sink, ids: [id] }) => `${sink} ${id}`);
    expect(new Set(keys).size).toBe(300);
    expect(keys).toHaveLength(300);
  });
});

describe("an outage of the database", () => {
  it("a round that meets an outage ends with a wake-up after a while, longer each time", async () => {
    await world.subscribe("a");
    world.memory.setDown(true);

    const outcomes = [await world.work(), await world.work({ tries: 3, isRepeated: false })];
    await world.work({ tries: 30, isRepeated: false });

    expect(outcomes.map(({ isWakeSure }) => isWakeSure)).toEqual([true, true]);
    const started = world.queued.map(({ wake }) => wake);
    expect(started).toEqual([{ tries: 1 }, { tries: 4 }, { tries: 31 }]);
    expect(world.queued[2]?.visibleAt).toBeGreaterThanOrEqual(600_000);
    expect(world.queued[2]?.visibleAt).toBeLessThan(602_000);
  });

  it("events that were stored before an outage are delivered after it", async () => {
    await world.subscribe("a");
    world.store("1");
    world.memory.setDown(true);
    await world.work();
    await world.runQueue(100_000);
    expect(world.sent).toEqual([]);
    world.memory.setDown(false);

    await world.runQueue();

    expect(world.sent.map((each) => each.ids)).toEqual([["1"]]);
  });

  it("results wait for the end of a short outage, so that what was delivered is not sent twice", async () => {
    await world.subscribe("a");
    world.sinks.set("a", () => {
      world.memory.setDown(true);
      void world.time.wait(3_000).then(() => world.memory.setDown(false));
      return { ms: 10 };
    });
    world.store("1");

    await world.work();
    await world.runQueue();

    expect(world.sent).toHaveLength(1);
    expect(statesOf()["delivered"]).toHaveLength(1);
  });

  it("an answer of the database that no waiting changes is an error, and sends no wake-up", async () => {
    await world.subscribe("a");
    const refused = new DatabaseError({ disposition: "stop", reason: "forbidden", detail: "" });
    world.deps.work.claim = () => Promise.reject(refused);

    const outcome = await world.work();

    expect(outcome).toMatchObject({ failure: refused, isWakeSure: false });
    expect(world.queued).toEqual([]);
  });

  it("results are written alone where the claim along with them fails", async () => {
    await world.subscribe("a");
    world.store("1");
    const refused = new DatabaseError({ disposition: "dead-letter", reason: "not_storable", detail: "" });
    const { claim } = world.deps.work;
    let claims = 0;
    world.deps.work.claim = (...args) => ((claims += 1) === 1 ? claim(...args) : Promise.reject(refused));
    world.deps.work.settleAndClaim = () => Promise.reject(refused);

    const outcome = await world.work();

    expect(outcome).toMatchObject({ delivered: 1, failure: refused });
    expect(statesOf()["delivered"]).toHaveLength(1);
  });

  it("claims under way at once ask for no more together than a worker may hold", async () => {
    await world.subscribe("a");
    for (let event = 0; event < 2_000; event += 1) world.store(String(event));
    const { settleAndClaim, claim } = world.deps.work;
    const { deliver } = world.deps;
    let [held, asked, most, isBeside] = [0, 0, 0, false];
    const counted = async <Result>(bounds: ClaimBounds, work: () => Promise<Result>, of: (result: Result) => Claim) => {
      isBeside ||= asked > 0;
      asked += bounds.most;
      most = Math.max(most, held + asked);
      await world.time.wait(20);
      const result = await work();
      asked -= bounds.most;
      held += of(result).deliveries.length;
      return result;
    };
    world.deps.work.claim = (...args) =>
      counted(
        args[1],
        () => claim(...args),
        (done) => done,
      );
    world.deps.work.settleAndClaim = (...args) =>
      counted(
        args[2],
        () => settleAndClaim(...args),
        (done) => done.claim,
      );
    world.deps.deliver = async (notice, deadline) => {
      const results = await deliver(notice, deadline);
      held -= notice.deliveries.length;
      return results;
    };

    expect(await world.work()).toMatchObject({ delivered: 2_000 });

    expect(isBeside).toBe(true);
    expect(most).toBeLessThanOrEqual(DELIVERIES_HELD);
  });

  it("deliveries of a claim whose answer was lost come back when their lease ends, and the results with it count once", async () => {
    await world.subscribe("a", { order: "subject" });
    for (const id of ["1", "2"]) world.memory.storeEvents([eventOf(id, world.time.clock(), { subject: "s" })]);
    const { settleAndClaim } = world.deps.work;
    let isLost = true;
    world.deps.work.settleAndClaim = async (...args) => {
      const done = await settleAndClaim(...args);
      if (!isLost) return done;
      isLost = false;
      throw new DatabaseError({ disposition: "retry", reason: "timeout", detail: "" });
    };

    expect(await world.work()).toMatchObject({ delivered: 1 });
    await world.runQueue();

    expect(world.sent.map((each) => [...each.ids, ...each.attempts])).toEqual([
      ["1", 1],
      ["2", 1],
    ]);
    expect(statesOf()["delivered"]).toHaveLength(2);
    expect(world.sent[1]?.at).toBeGreaterThan(44_000);
  });
});

describe("the wake-up behind a round", () => {
  it("an open transaction is looked at again later and later, and its events are delivered when it ends", async () => {
    await world.subscribe("a");
    const release = world.memory.holdHorizon();
    world.store("late");
    await world.work();
    const first = await world.runQueue(30_000);
    expect(world.sent).toEqual([]);
    release();

    await world.runQueue();

    expect(first).toBeLessThanOrEqual(6);
    expect(world.sent.map((each) => each.ids)).toEqual([["late"]]);
    expect(world.queued).toEqual([]);
  });

  it("a filter that the database could not apply is tried again without another event, later and later", async () => {
    const { id } = await world.subscribe("a");
    const { dispatch } = world.deps.work;
    let isFailing = true;
    world.deps.work.dispatch = async (...args) =>
      isFailing
        ? { matched: 0, isAtEnd: true, isOpen: false, subscriptions: 1, failing: [id], hasNotices: false }
        : dispatch(...args);
    world.store("1");
    await world.work();
    const before = world.calls.length;
    await world.runQueue(10 * 86_400_000);
    const rounds = world.calls.slice(before).filter((name) => name === "nextDueAt").length;
    expect(world.sent).toEqual([]);
    isFailing = false;

    await world.runQueue();

    expect(rounds).toBeGreaterThan(10);
    expect(rounds).toBeLessThan(30);
    expect(world.sent.map((each) => each.ids)).toEqual([["1"]]);
    expect(world.queued).toEqual([]);
  });

  it("a wake-up that the queue does not confirm leaves the message of the round in its queue", async () => {
    await world.subscribe("a");
    world.sinks.set("a", () => ({ outcome: DOWN }));
    world.store("1");
    world.state.isQueueDown = true;

    const { remaining } = await world.run();
    world.state.isQueueDown = false;
    await world.run([world.messageOf({}, 2)]);

    expect(remaining).toHaveLength(1);
    expect(world.queued).toHaveLength(1);
  });

  it("a rate is kept over rounds, and the queue empties at that rate", async () => {
    await world.subscribe("a", { rate: 5 });
    world.store(...ids("e", 100));
    await world.work();

    const invocations = await world.runQueue();

    expect(invocations).toBeLessThanOrEqual(1);
    expect(world.sent).toHaveLength(100);
    const last = (world.sent.at(-1)?.at ?? 0) / 1_000;
    expect(last).toBeGreaterThan(18);
    expect(last).toBeLessThan(23);
  });

  it("the events of one subject are sent in their order, and one that waits holds no other subject", async () => {
    await world.subscribe("a", { order: "subject" });
    const stored = ["x1", "y1", "x2", "y2", "x3"].map((id) => eventOf(id, world.time.clock(), { subject: id[0] }));
    for (const event of stored) world.memory.storeEvents([event]);
    let isDown = true;
    world.sinks.set("a", ({ deliveries: [first] }) => {
      const isX1 = first?.event.includes('"x1"') === true;
      const outcome = isX1 && isDown ? DOWN : undefined;
      if (isX1) isDown = false;
      return { ...(outcome && { outcome }) };
    });

    await world.work();
    await world.runQueue();

    const sent = world.sent.map(({ ids: [id] }) => id ?? "");
    expect(sent.filter((id) => id.startsWith("x"))).toEqual(["x1", "x1", "x2", "x3"]);
    expect(sent.filter((id) => id.startsWith("y"))).toEqual(["y1", "y2"]);
    expect(sent.indexOf("y2")).toBeLessThan(sent.lastIndexOf("x1"));
  });
});

describe("the notices of a round", () => {
  const end = { outcome: { kind: "never", isEnded: true, code: 410, error: "410" } } as const;

  it("a notice that the queue does not confirm is sent by a later round, as the same event", async () => {
    await world.subscribe("a");
    world.sinks.set("a", () => end);
    world.store("1");
    world.state.areEventsDown = true;

    expect(await world.work()).toMatchObject({ disabled: 0, unsent: 1, isWakeSure: true });
    await world.runQueue(3_600_000);
    expect(world.events).toEqual([]);
    world.state.areEventsDown = false;
    await world.runQueue();

    expect(world.events).toMatchObject([
      { type: "sluice.subscription.disabled", time: expect.stringMatching(/T00:00:0/) },
    ]);
    expect(world.queued).toEqual([]);
  });

  it("a notice whose deletion fails is sent again by the next round, with the same content, and counts once", async () => {
    await world.subscribe("a");
    world.sinks.set("a", () => end);
    world.store("1");
    const { deleteNotices } = world.deps.work;
    world.deps.work.deleteNotices = () =>
      Promise.reject(new DatabaseError({ disposition: "retry", reason: "timeout", detail: "" }));
    expect(await world.work()).toMatchObject({ disabled: 0, isWakeSure: true });
    world.deps.work.deleteNotices = deleteNotices;

    await world.runQueue();

    expect(world.events).toHaveLength(2);
    expect(world.events[1]).toEqual(world.events[0]);
    expect((await world.work()).disabled).toBe(0);
  });

  it("a notice of results whose answer was lost is sent by the same round", async () => {
    await world.subscribe("a");
    world.sinks.set("a", () => end);
    world.store("1");
    const { settleAndClaim } = world.deps.work;
    let isLost = true;
    world.deps.work.settleAndClaim = async (...args) => {
      const done = await settleAndClaim(...args);
      if (!isLost) return done;
      isLost = false;
      throw new DatabaseError({ disposition: "retry", reason: "timeout", detail: "" });
    };

    expect(await world.work()).toMatchObject({ disabled: 1 });

    expect(world.events).toHaveLength(1);
  });

  it("notices that another worker left are sent by the next round", async () => {
    await world.subscribe("a");
    world.store("1");
    await world.memory.work.dispatch(1_000, 0);
    const { deliveries } = await world.memory.work.claim("killed", { most: 1, mostOfOne: 1, leaseSeconds: 45 }, 0);
    const results = deliveries.map(
      ({ id, subscriptionId }): AttemptResult => ({
        deliveryId: id,
        subscriptionId,
        number: 1,
        status: "later",
        dueAt: undefined,
        code: 410,
        at: world.time.clock().toISOString(),
        durationMs: 1,
        error: "410",
        response: undefined,
        isEnded: true,
      }),
    );
    await world.memory.work.settle("killed", results, 0);

    expect(await world.work()).toMatchObject({ disabled: 1 });

    expect(world.events).toHaveLength(1);
  });
});

describe("the mark of subscriptions", () => {
  it("a round without any subscription takes the mark away, so that nobody wakes workers for nothing", async () => {
    world.state.token = "old";

    await world.work();

    expect(world.state.token).toBeUndefined();
    expect(world.queued).toEqual([]);
  });

  it("a subscription that begins meanwhile keeps its mark", async () => {
    world.state.token = "old";
    const { dispatch } = world.deps.work;
    let looks = 0;
    world.deps.work.dispatch = async (...args) => {
      const found = await dispatch(...args);
      looks += 1;
      if (looks === 1) await world.subscribe("new");
      return found;
    };

    await world.work();

    expect(world.state.token).toBe("new");
  });

  it("a mark that was lost with its table is set again", async () => {
    await world.subscribe("a");
    world.state.token = undefined;

    await world.work();

    expect(world.state.token).toBeDefined();
  });

  it("a mark that cannot be read ends no round", async () => {
    await world.subscribe("a");
    const down = new AccessError("down", { isOutage: true, isThrottled: false });
    world.deps.mark.read = () => Promise.reject(down);
    world.store("1");

    const outcome = await world.work();

    expect(outcome).toMatchObject({ delivered: 1, isWakeSure: true });
    expect(world.failures).toEqual([down]);
  });
});
