import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { schemas } from "../../functions/core/answer.ts";
import { putDeadLetters } from "../support/dead-letter-rows.ts";
import { eventually } from "../support/eventually.ts";
import type { Order } from "./support/failpoints.ts";
import { type FaultStack, startFaultStack } from "./support/fault-stack.ts";

type Replay = ReturnType<typeof schemas.Replay.parse>;

const COUNT = 250;
const PATIENCE_MS = 280_000;

let stack: FaultStack;
beforeAll(async () => {
  // A message of a killed step comes again in seconds, when the lease of its job has ended.
  stack = await startFaultStack({ replayTimeoutSeconds: 12, visibilitySeconds: 20, maxReceiveCount: 30 });
});
afterAll(() => stack?.remove());
beforeEach(async () => {
  await stack.ask("truncate dead_letters, replays, replay_edits, dead_letter_replays, events, event_keys");
  const names = Array.from({ length: COUNT }, (_, at) => `e-${at}`);
  await putDeadLetters(stack, names, { tenant: "default" });
});

const call = (path: string, init: RequestInit = {}) =>
  fetch(`${stack.addresses.url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${stack.addresses.apiKey}`, "content-type": "application/json" },
  });

async function start(body: object = {}): Promise<Replay> {
  const response = await call("/replays", { method: "POST", body: JSON.stringify(body) });
  expect(response.status).toBe(202);
  return (await response.json()) as Replay;
}

const read = async ({ id }: Replay) => (await (await call(`/replays/${id}`)).json()) as Replay;

const finish = (started: Replay): Promise<Replay> =>
  eventually(
    () => read(started),
    ({ state, sent, stored, deadLettered }) => state !== "running" && stored + deadLettered === sent,
    PATIENCE_MS,
  );

/** Every dead letter is open, or replayed once; its event is stored once, or not. */
async function ledger() {
  const [row] = await stack.ask<Record<string, number>>(`
    select count(*) filter (where state = 'open')::int as open, count(*) filter (where state = 'replayed')::int as replayed,
      (select count(*) from events)::int as stored,
      (select count(*) from dead_letter_replays where number <> 1)::int as doubled,
      (select count(*) from dead_letter_replays where outcome is distinct from 'stored')::int as unsettled
    from dead_letters`);
  return row;
}

const ALL_STORED = { open: 0, replayed: COUNT, stored: COUNT, doubled: 0, unsettled: 0 };

describe("a replay under faults", () => {
  const points = [
    "beforeTake",
    "afterTake",
    "beforeSend",
    "afterSend",
    "beforeMark",
    "afterMark",
    "afterEnd",
    "beforeAnswer",
  ];
  it.each(points)("a replay whose function is killed at %s stores every event once", async (point) => {
    let killed = 0;
    stack.failpoints.order((hit) => {
      if (hit.functionName !== "replay" || hit.point !== point || killed > 0) return "go";
      // The first send is that of the request itself.
      const hasTaken = stack.failpoints.hits.some((each) => each.point === "afterTake");
      if (point.endsWith("Send") && !hasTaken) return "go";
      killed += 1;
      return "kill";
    });

    const finished = await finish(await start()).finally(() => stack.failpoints.order());

    expect(killed).toBe(1);
    expect(finished).toMatchObject({ state: "done", planned: COUNT, taken: COUNT, sent: COUNT, stored: COUNT });
    expect(await ledger()).toEqual(ALL_STORED);
  });

  it("two replays at once send each event for one of them", async () => {
    const both = await Promise.all([start(), start()]);

    const [one, two] = await Promise.all(both.map(finish));

    expect((one?.sent ?? 0) + (two?.sent ?? 0)).toBe(COUNT);
    expect(await ledger()).toEqual(ALL_STORED);
  });

  it("a replay that is cancelled sends what it has taken, and leaves the rest open", async () => {
    const started = await start({ rate: 20 });
    await eventually(
      () => read(started),
      ({ sent }) => sent > 0,
      PATIENCE_MS,
    );

    expect((await call(`/replays/${started.id}/cancel`, { method: "POST" })).status).toBe(200);

    const { state, taken, sent, stored } = await finish(started);
    expect({ state, sent, stored }).toEqual({ state: "cancelled", sent: taken, stored: taken });
    expect(await ledger()).toEqual({ open: COUNT - taken, replayed: taken, stored: taken, doubled: 0, unsettled: 0 });
  });

  it("a replay goes on after the database is killed in the middle of it", async () => {
    let killed = false;
    stack.failpoints.order(async (hit): Promise<Order> => {
      if (hit.functionName === "replay" && hit.point === "beforeMark" && !killed) {
        await stack.postgres.stop("immediate");
        killed = true;
      }
      return "go";
    });
    const started = await start();
    await eventually(() => killed, Boolean, PATIENCE_MS);
    stack.failpoints.order();
    await stack.postgres.start();

    expect(await finish(started)).toMatchObject({ state: "done", sent: COUNT, stored: COUNT });
    expect(await ledger()).toEqual(ALL_STORED);
  });
});
