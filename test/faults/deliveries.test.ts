import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DeliveryLedger } from "../../functions/core/delivery.ts";
import { CLAIM_LEASE_SECONDS, DELIVERIES_IN_FLIGHT } from "../../functions/core/subscription-limits.ts";
import { eventually } from "../support/eventually.ts";
import { startWebhookReceiver, type Webhook, type WebhookReceiver } from "../support/webhook-receiver.ts";
import type { Hit, Order } from "./support/failpoints.ts";
import { type FaultStack, startFaultStack } from "./support/fault-stack.ts";

const COUNT = 200;
const PATIENCE_MS = 280_000;

/** The length of an outage: the worker tries to write its results several times. */
const OUTAGE_MS = 3_000;

let stack: FaultStack;
let receiver: WebhookReceiver;
beforeEach(async () => {
  receiver = await startWebhookReceiver();
});
afterEach(async () => {
  await stack.heal();
  await receiver.stop();
});

async function call<Answer>(path: string, body?: object): Promise<Answer> {
  const response = await fetch(`${stack.addresses.url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${stack.addresses.apiKey}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text) as Answer;
}

/** A source of a test's own, with a subscription to it. */
async function subscribe(settings: object = {}): Promise<{ id: string; source: string }> {
  const source = `/faults/deliveries/${randomUUID()}`;
  const sink = { type: "webhook", url: receiver.url };
  const body = { name: "faults", filter: { exact: { source } }, sink, ...settings };
  const { id } = await call<{ id: string }>("/subscriptions", body);
  return { id, source };
}

/** Sends events, in requests of that many. Returns their ids. */
async function send(
  source: string,
  { count = COUNT, each = COUNT, subjects = 0, prefix = "e" } = {},
): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, at) => `${prefix}-${String(at).padStart(4, "0")}`);
  for (let at = 0; at < count; at += each) {
    const events = ids.slice(at, at + each).map((id, index) => ({
      id,
      source,
      type: "com.example.fault",
      data: { id },
      ...(subjects > 0 && { subject: `s-${index % subjects}` }),
    }));
    await call("/events", events);
  }
  return ids;
}

const ledgerOf = async (id: string) => (await call<{ ledger: DeliveryLedger }>(`/subscriptions/${id}`)).ledger;

const untilDelivered = (id: string, count = COUNT, patienceMs = PATIENCE_MS) =>
  eventually(
    () => ledgerOf(id),
    ({ matched, delivered }) => matched === count && delivered === count,
    patienceMs,
  );

/** The leases of workers that were killed end now, and not in three quarters of a minute. */
const endLeases = (workers: readonly string[]) =>
  stack.ask("update deliveries set due_at = clock_timestamp() where state = 'pending' and leased_by = any ($1)", [
    workers,
  ]);

/** Deliveries that the receiver has confirmed, and of which no row says so. */
async function lostAnswers(id: string): Promise<Set<string>> {
  const confirmed = await confirmedAtRest();
  const pending = await stack.ask<{ id: string }>(
    "select id from deliveries where subscription_id = $1 and state = 'pending'",
    [id],
  );
  return new Set(pending.map((row) => row.id).filter((delivery) => confirmed.has(delivery)));
}

/** The number of confirmations by webhook-id, when nothing is on its way any more. */
async function confirmedAtRest(): Promise<Map<string, number>> {
  let before = -1;
  await eventually(async () => {
    const isAtRest =
      receiver.received.length === before && receiver.received.every(({ status }) => status !== undefined);
    before = receiver.received.length;
    await delay(200);
    return isAtRest;
  }, Boolean);
  const counts = new Map<string, number>();
  for (const { id, status } of receiver.received) if (status === 204) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/**
 * Each event was delivered; twice only those whose answer was lost; the database knows of one confirmation for each; the ledger
 * is balanced.
 */
async function judge(id: string, ids: readonly string[], lost: ReadonlySet<string>): Promise<{ twice: number }> {
  const counts = await confirmedAtRest();
  const events = new Set(receiver.confirmed());
  const twice = [...counts].flatMap(([delivery, count]) => (count > 1 ? [delivery] : []));
  const attempts = await stack.ask<{ delivered: number; deliveries: number; most: number }>(
    `select sum(delivered)::int as delivered, count(*)::int as deliveries, max(delivered)::int as most
     from (
       select count(*) filter (where status = 'delivered') as delivered from delivery_attempts
       where subscription_id = $1 group by delivery_id
     ) as of_one`,
    [id],
  );

  expect([...events].toSorted()).toEqual(ids);
  expect(counts.size).toBe(ids.length);
  expect(twice.filter((delivery) => !lost.has(delivery))).toEqual([]);
  expect(Math.max(...counts.values())).toBeLessThanOrEqual(2);
  expect(attempts).toEqual([{ delivered: ids.length, deliveries: ids.length, most: 1 }]);
  expect(await ledgerOf(id)).toEqual({
    matched: ids.length,
    delivered: ids.length,
    pending: 0,
    failed: 0,
    skipped: 0,
  });
  return { twice: twice.length };
}

const isDisabled = async (id: string) =>
  (await stack.ask("select 1 from subscriptions where id = $1 and state = 'disabled'", [id])).length > 0;

/** The notices of a disabled subscription that are stored, when none waits any more. */
async function storedNotices(id: string): Promise<string[]> {
  const notices = () =>
    stack.ask<{ type: string }>("select type from events where source = $1", [`/subscriptions/${id}`]);
  await eventually(notices, ({ length }) => length > 0, PATIENCE_MS);
  await eventually(
    () => stack.ask("select 1 from subscription_notices"),
    ({ length }) => length === 0,
    PATIENCE_MS,
  );
  await eventually(stack.queue.depth, (depth) => depth === 0, PATIENCE_MS);

  expect(await isDisabled(id)).toBe(true);
  expect(stack.lines.filter((line) => line.includes("conflicts"))).toEqual([]);
  return (await notices()).map(({ type }) => type);
}

/**
 * Kills one worker, at the place and not before the condition. Resolves when its process has ended, to the names of the workers
 * that had leases then.
 */
function killOnce(isThere: (hit: Hit) => boolean | Promise<boolean>): Promise<string[]> {
  const { promise, resolve } = Promise.withResolvers<string[]>();
  let killed = false;
  stack.failpoints.order(async (hit) => {
    if (killed || hit.functionName !== "notify" || !(await isThere(hit)) || killed) return "go";
    killed = true;
    const rows = await stack.ask<{ name: string }>(
      "select distinct leased_by as name from deliveries where leased_by is not null",
    );
    void eventually(() => !isAlive(hit.pid), Boolean).then(() => resolve(rows.map(({ name }) => name)));
    return "kill";
  });
  return promise;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Every tenth event fails at its first attempt, so that something waits and a wake-up is planned. */
const failEveryTenth = ({ events, attempt }: Webhook) =>
  attempt === 1 && String(events[0]?.["id"]).endsWith("0") ? 503 : 204;

/** As failEveryTenth, whatever the message is in which an event comes again. */
function failEveryTenthEvent(): (webhook: Webhook) => number {
  const seen = new Set<string>();
  return ({ events }) => {
    const ids = events.map((event) => String(event["id"]));
    const isFailing = ids[0]?.endsWith("0") === true && !seen.has(ids[0]);
    for (const id of ids) seen.add(id);
    return isFailing ? 503 : 204;
  };
}

/** The steps of a worker (functions/adapters/lambda/failpoint.ts). */
const STEPS = [
  "beforeDispatch",
  "afterDispatch",
  "afterClaim",
  "beforeSendNotice",
  "afterSendNotice",
  "beforeSettle",
  "afterSettle",
  "beforeWake",
  "afterWake",
];

describe("deliveries by one worker at a time", () => {
  beforeAll(async () => {
    // The message of a killed worker comes again in seconds.
    stack = await startFaultStack({
      visibilitySeconds: 15,
      notifyTimeoutSeconds: 60,
      maxReceiveCount: 100,
      maximumConcurrency: 1,
      windowSeconds: 0,
    });
  });
  afterAll(() => stack?.remove());

  const counted = async (sql: string, value: string) =>
    (await stack.ask<{ count: number }>(`select count(*)::int as count from ${sql} = $1`, [value]))[0]?.count ?? 0;

  /** Whether a worker is at a step of the work on these deliveries, some of which are under way by then. */
  const isAt = (step: string, { id, source }: { id: string; source: string }) => {
    const isPerDelivery = step.endsWith("SendNotice");
    return async ({ point }: Hit) => {
      if (point !== step || (isPerDelivery && receiver.received.length < COUNT / 4)) return false;
      return step === "beforeDispatch"
        ? (await counted("events where source", source)) === COUNT
        : (await counted("deliveries where subscription_id", id)) > 0;
    };
  };

  it.each(STEPS)(
    "a worker that is killed at %s loses no delivery, and repeats those alone whose answer was lost",
    async (point) => {
      receiver.answer(failEveryTenth);
      const { id, source } = await subscribe();
      const killed = killOnce(isAt(point, { id, source }));

      const ids = await send(source);
      const workers = await killed;
      const lost = await lostAnswers(id);
      await endLeases(workers);
      await untilDelivered(id);

      const { twice } = await judge(id, ids, lost);
      expect(lost.size).toBeLessThanOrEqual(DELIVERIES_IN_FLIGHT);
      console.info(`killed at ${point}: ${lost.size} answers lost, ${twice} of ${COUNT} events delivered twice`);
    },
  );

  it.each(["afterSettle", "beforeNotices", "afterNotices"])(
    "a worker that is killed at %s loses no notice of a subscription that it disabled, and the notice is one event",
    async (point) => {
      receiver.answer(() => 410);
      const { id, source } = await subscribe();
      const killed = killOnce(async (hit) => hit.point === point && (await isDisabled(id)));

      await send(source, { count: 1, each: 1 });
      await killed;

      expect(await storedNotices(id)).toEqual(["sluice.subscription.disabled"]);
    },
  );

  it.each<[string, string, () => void]>([
    [
      "the answer to its results is lost",
      "beforeSettle",
      () => stack.dataApiFaults.add({ kind: "dropAfter", operation: "ExecuteStatement", calls: 1 }),
    ],
    [
      "the queue's answer is lost",
      "beforeNotices",
      () => stack.sqs.setFaults({ kind: "dropAfter", action: "SendMessageBatch", calls: 1 }),
    ],
    [
      "the queue takes nothing for a while",
      "beforeNotices",
      () => stack.sqs.setFaults({ kind: "unavailable", action: "SendMessageBatch", calls: 20 }),
    ],
  ])("a notice is one event where %s", async (_case, point, breakIt) => {
    receiver.answer(() => 410);
    const { id, source } = await subscribe();
    let isBroken = false;
    stack.failpoints.order((hit) => {
      if (isBroken || hit.functionName !== "notify" || hit.point !== point) return "go";
      isBroken = true;
      breakIt();
      return "go";
    });

    await send(source, { count: 1, each: 1 });
    expect(await storedNotices(id)).toEqual(["sluice.subscription.disabled"]);

    expect(isBroken).toBe(true);
  });

  it("the lease of a worker that was killed ends by itself, and another one delivers", async () => {
    const { id, source } = await subscribe();
    const killed = killOnce(
      async (hit) => hit.point === "afterClaim" && (await counted("deliveries where subscription_id", id)) > 0,
    );

    const ids = await send(source);
    await killed;
    await untilDelivered(id);

    expect(await judge(id, ids, new Set())).toEqual({ twice: 0 });
  });

  it.each(STEPS)("a database that is killed at %s loses no delivery and repeats none", async (point) => {
    receiver.answer(failEveryTenth);
    const { id, source } = await subscribe();
    const stopped = Promise.withResolvers<void>();
    const isThere = isAt(point, { id, source });
    let isStopped = false;
    stack.failpoints.order(async (hit): Promise<Order> => {
      // The question fails where another place has stopped the database meanwhile.
      const isHere = !isStopped && hit.functionName === "notify" && (await isThere(hit).catch(() => false));
      if (!isHere || isStopped) return "go";
      isStopped = true;
      await stack.postgres.stop("immediate");
      stopped.resolve();
      return "go";
    });

    const ids = await send(source);
    await stopped.promise;
    await delay(OUTAGE_MS);
    await stack.postgres.start();
    await untilDelivered(id);

    // The worker has the answers still, and writes them when it can.
    expect(await judge(id, ids, new Set())).toEqual({ twice: 0 });
  });

  it.each([
    ["an hour", 3, 20],
    ["a day", 6, 240],
  ])("a receiver that is down for %s gets each event once when it is back", async (_time, times, minutes) => {
    await receiver.stop();
    const { id, source } = await subscribe();
    const ids = await send(source);
    const triesOf = () => counted("delivery_attempts where subscription_id", id);

    for (let time = 0; time < times; time += 1) {
      const tries = await triesOf();
      await eventually(triesOf, (count) => count > tries, PATIENCE_MS);
      // The time of an attempt does not pass: no lease would outlast it.
      await eventually(
        () => counted("deliveries where leased_by is not null and subscription_id", id),
        (count) => count === 0,
        PATIENCE_MS,
      );
      // Time passes, and whatever waited for less is due.
      await stack.ask(
        `update deliveries set schedule_from = schedule_from - passed.time, due_at = least(due_at, clock_timestamp() + passed.time) - passed.time
         from (select $2 * interval '1 minute' as time) as passed
         where subscription_id = $1 and state = 'pending'`,
        [id, minutes],
      );
      await stack.ask(
        "update subscriptions set failing_since = failing_since - $2 * interval '1 minute' where id = $1",
        [id, minutes],
      );
      await call(`/subscriptions/${id}/enable`, {});
    }
    expect(await ledgerOf(id)).toMatchObject({ matched: COUNT, pending: COUNT, delivered: 0 });
    await receiver.start();
    await eventually(
      async () => {
        await call(`/subscriptions/${id}/enable`, {});
        return (await ledgerOf(id)).delivered;
      },
      (delivered) => delivered === COUNT,
      PATIENCE_MS,
    );

    expect(await judge(id, ids, new Set())).toEqual({ twice: 0 });
  });

  it.each(["afterClaim", "afterSendNotice", "beforeSettle"])(
    "a worker that is killed at %s leaves each batch as it was, with its webhook-id",
    async (point) => {
      receiver.answer(failEveryTenthEvent());
      const { id, source } = await subscribe({ batch: 7 });
      const killed = killOnce(
        async (hit) => hit.point === point && (await counted("deliveries where subscription_id", id)) === COUNT,
      );

      const ids = await send(source);
      const workers = await killed;
      await endLeases(workers);
      await untilDelivered(id);

      const batches = new Map<string, string>();
      for (const { id: message, events } of receiver.received) {
        const own = events.map((event) => String(event["id"])).join(" ");
        expect(batches.get(message) ?? own).toBe(own);
        batches.set(message, own);
      }
      expect([...batches.values()].flatMap((own) => own.split(" ")).toSorted()).toEqual(ids);
    },
  );

  it("a killed worker leaves the order of each subject as it was", async () => {
    const { id, source } = await subscribe({ order: "subject" });
    const killed = killOnce(({ point }) => point === "afterSendNotice" && receiver.received.length > COUNT / 4);

    const ids = await send(source, { subjects: 10 });
    const workers = await killed;
    const lost = await lostAnswers(id);
    await endLeases(workers);
    await untilDelivered(id);

    await judge(id, ids, lost);
    const firsts = [...new Set(receiver.confirmed())];
    for (let subject = 0; subject < 10; subject++) {
      const ofSubject = firsts.filter((event) => Number(event.slice(2)) % 10 === subject);
      expect(ofSubject).toEqual(ofSubject.toSorted());
    }
  });
});

describe("a lone worker on a queue that hides messages for minutes", () => {
  beforeAll(async () => {
    stack = await startFaultStack({ notifyTimeoutSeconds: 45, maximumConcurrency: 1, windowSeconds: 0 });
  });
  afterAll(() => stack?.remove());

  it("a lone worker that is killed is missed until its lease ends, and some seconds more", async () => {
    const { id, source } = await subscribe();
    const wakeQueue = () =>
      stack.sqs.calls.filter(({ action, queue }) => action === "DeleteMessageBatch" && /wake/i.test(queue)).length;
    // The wake-up of the new subscription is done, so that one alone is left: that of the consumer.
    await eventually(wakeQueue, (count) => count > 0);
    const leased = "select 1 from deliveries where subscription_id = $1 and leased_by is not null";
    const killed = killOnce(async ({ point }) => point === "afterClaim" && (await stack.ask(leased, [id])).length > 0);
    const [event = ""] = await send(source, { count: 1, each: 1 });
    await killed;
    const killedAt = Date.now();

    await untilDelivered(id, 1, (CLAIM_LEASE_SECONDS + 30) * 1_000);

    expect(receiver.confirmed()).toEqual([event]);
    const missed = (Date.now() - killedAt) / 1_000;
    expect(missed).toBeGreaterThan(CLAIM_LEASE_SECONDS - 5);
    expect(missed).toBeLessThan(CLAIM_LEASE_SECONDS + 15);
  });
});

describe("deliveries by several workers at once", () => {
  beforeAll(async () => {
    stack = await startFaultStack({ windowSeconds: 0, batchMessages: 1, notifyTimeoutSeconds: 60 });
  });
  afterAll(() => stack?.remove());

  it("several workers never send the same delivery twice, nor while another one sends it", async () => {
    const open = new Set<string>();
    const overlapping: string[] = [];
    receiver.answer(async ({ id }) => {
      if (open.has(id)) overlapping.push(id);
      open.add(id);
      await delay(50);
      open.delete(id);
      return 204;
    });
    const { id, source } = await subscribe();

    const ids = await send(source, { each: 2 });
    await untilDelivered(id);

    expect(
      new Set(stack.failpoints.hits.filter(({ functionName }) => functionName === "notify").map(({ pid }) => pid)).size,
    ).toBeGreaterThan(1);
    expect(overlapping).toEqual([]);
    expect(await judge(id, ids, new Set())).toEqual({ twice: 0 });
  });

  it("events that two workers dispatch at once become one delivery each", async () => {
    const held = Promise.withResolvers<void>();
    const pids = new Set<number>();
    // Until two workers are there, none goes on.
    stack.failpoints.order(async ({ functionName, point, pid }): Promise<Order> => {
      if (functionName !== "notify" || point !== "beforeDispatch") return "go";
      pids.add(pid);
      if (pids.size > 1) held.resolve();
      await Promise.race([held.promise, delay(10_000)]);
      return "go";
    });
    const { id, source } = await subscribe();

    const ids = await send(source, { each: 10 });
    await untilDelivered(id);

    expect(pids.size).toBeGreaterThan(1);
    expect(await judge(id, ids, new Set())).toEqual({ twice: 0 });
  });

  it("events that are dispatched again, by a cursor that went back, become no second delivery", async () => {
    const { id, source } = await subscribe();
    const ids = await send(source);
    await untilDelivered(id);

    await stack.ask("update subscriptions set next_number = 0 where id = $1", [id]);
    const [last = ""] = await send(source, { count: 1, prefix: "last" });
    await untilDelivered(id, COUNT + 1);

    expect(await judge(id, [...ids, last], new Set())).toEqual({ twice: 0 });
  });
});
