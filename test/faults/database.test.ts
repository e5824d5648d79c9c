import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startArrivals } from "./support/arrivals.ts";
import { batchLines } from "./support/batch-lines.ts";
import { enqueue } from "./support/enqueue.ts";
import { faultCase, type FaultScenario, sized } from "./support/fault-case.ts";
import { startFaultStack, type FaultStack } from "./support/fault-stack.ts";

/** Small batches at once, so that there are many calls. */
let stack: FaultStack;
beforeAll(async () => {
  stack = await startFaultStack({ visibilitySeconds: 30, batchMessages: 10, windowSeconds: 0 });
});
afterAll(() => stack?.remove());

/** Every message in the queue before the consumer gets the first, so that one batch has all sorts of them. */
const gathered = async (send: () => Promise<void>) => {
  stack.sqs.setFaults({ kind: "unavailable", action: "ReceiveMessage" });
  await send();
  stack.sqs.setFaults();
};

describe("answers of the Data API that are lost after the commit", () => {
  faultCase(
    "F4",
    "Data API answer lost after the commit",
    () => stack,
    async (scenario) => {
      const from = stack.lines.length;
      let losses = 0;
      let answersLost = 0;
      stack.failpoints.order(({ functionName, point, count }) => {
        if (functionName !== "consume" || point !== "beforeStore") return "go";
        if (count % 3 !== 1 || losses === sized(3, 90)) return "go";
        const loss = LOSSES[losses++ % LOSSES.length] as (typeof LOSSES)[number];
        stack.dataApiFaults.add(loss);
        answersLost += loss.calls;
        return "go";
      });
      const count = sized(240, 10_000);
      await scenario.deliver(scenario.events(count), { perRequest: sized(10, 20) });
      await scenario.atRest();

      const total = await eventually(
        async () => {
          const lines = batchLines(stack, from);
          return {
            stored: sum(lines.map(({ EventsStored: stored }) => stored)),
            duplicate: sum(lines.map(({ EventsDuplicate: duplicate }) => duplicate)),
          };
        },
        ({ stored, duplicate }) => stored + duplicate >= count,
      );
      expect(total.stored + total.duplicate).toBe(count);
      expect(total.duplicate).toBeGreaterThan(0);
      const again = batchLines(stack, from).filter(({ disposition }) => disposition === "retry");
      expect(again.length).toBeGreaterThan(0);
      scenario.note(
        `${answersLost} answers lost, ${again.length} batches again; ${total.duplicate} events found stored`,
      );
    },
  );
});

describe("a partition", () => {
  faultCase(
    "F25",
    "the partition of the day is missing",
    () => stack,
    async (scenario) => {
      const from = stack.lines.length;
      const [yesterday, today, tomorrow] = [day(-1), day(0), day(1)];
      const later = day(3);
      await stack.ask(`drop table ${partition(today)}, ${partition(tomorrow)}, ${partition(later)}`);
      // Earlier cases stored events there, whose rollups and transactions would outlive them.
      for (const each of ["rollup_deltas", "rollups", "event_transactions"]) await stack.ask(`delete from ${each}`);
      const late = scenario.events(sized(60, 5_000));
      const waiting = scenario.events(sized(20, 5_000));
      const neighbours = scenario.events(sized(60, 5_000));
      await gathered(async () => {
        await scenario.deliver(late, { perRequest: 20 });
        for (const some of inTwenties(waiting)) await enqueue(scenario, some, `${later}T12:00:00.000Z`);
        for (const some of inTwenties(neighbours)) await enqueue(scenario, some, `${yesterday}T12:00:00.000Z`);
      });

      // The day of the late ones is made when they come; that of the others is in the future, and nobody makes it.
      await eventually(
        () => storedIds(scenario),
        (ids) => ids.length === neighbours.length + late.length,
      );
      // Once more, so that it waits for longer than a single failure.
      await eventually(
        async () => batchLines(stack, from).filter(({ EventsStored: stored }) => stored === 0).length,
        (failures) => failures > 1,
      );
      expect(new Set(await storedIds(scenario))).toEqual(new Set([...neighbours, ...late].map(({ id }) => id)));
      const failed = batchLines(stack, from).filter(({ failedMessages }) => failedMessages > 0);
      for (const line of failed) expect(line).toMatchObject({ disposition: "wait", reason: "missing_partition" });
      expect(failed.filter(({ EventsStored: stored }) => stored > 0)).not.toEqual([]);
      expect(await stack.deadLetters.depth()).toBe(0);

      await stack.ask("select ensure_event_partitions($1::date, $2::date)", [tomorrow, later]);
      await scenario.heal();
      scenario.note(`${neighbours.length} neighbours and ${late.length} late events stored meanwhile`);
    },
  );

  faultCase(
    "F24",
    "the same events again on other days, also when their partition is dropped",
    () => stack,
    async (scenario) => {
      const from = stack.lines.length;
      const events = scenario.events(sized(40, 5_000));
      await scenario.deliver(events, { perRequest: 20 });
      await scenario.atRest();
      const [first] = await stack.ask<{ at: string }>(
        "select max(received_at)::text as at from events where source = $1",
        [scenario.source],
      );
      const again = async (offset: number) => {
        for (const some of inTwenties(events)) await enqueue(scenario, some, `${day(offset)}T12:00:00.000Z`);
        await scenario.atRest();
      };

      for (const offset of [-1, 1, 2]) await again(offset);
      expect(await storedIds(scenario)).toHaveLength(events.length);
      expect(
        await stack.ask("select max(received_at)::text as at from events where source = $1", [scenario.source]),
      ).toEqual([first]);

      // Rotated: the rows are in a table of their own. They must not come back.
      const days = [day(0), day(1)] as const;
      for (const each of days) await stack.ask(`alter table events_30d detach partition ${partition(each)}`);
      for (const offset of [-1, 2]) await again(offset);
      expect(await storedIds(scenario)).toEqual([]);
      for (const each of days) {
        const until = new Date(Date.parse(each) + DAY_MS).toISOString();
        await stack.ask(
          `alter table events_30d attach partition ${partition(each)} for values from ('${each}T00:00Z') to ('${until}')`,
        );
      }

      const duplicates = sum(batchLines(stack, from).map(({ EventsDuplicate: duplicate }) => duplicate));
      expect(duplicates).toBe(5 * events.length);
      scenario.note(`${duplicates} copies refused`);
    },
  );
});

describe("what PostgreSQL may answer", () => {
  faultCase(
    "F38",
    "every class of SQLSTATE, raised by a trigger",
    () => stack,
    async (scenario) => {
      await stack.ask(`create table raised as select null::text as state`);
      await stack.ask(RAISE);
      await stack.ask("create trigger raise before insert on events for each row execute function raise_ordered()");
      try {
        for (const [state, disposition, seen] of ORDERED) {
          const from = stack.lines.length;
          const metricsFrom = stack.metrics.length;
          await stack.ask("update raised set state = $1", [state]);
          await scenario.deliver(scenario.events(2));
          await eventually(
            async () => stack.lines.slice(from).filter((line) => line.includes('"message":"batch"')),
            (lines) => lines.some((line) => line.includes(seen) && line.includes(`"disposition":"${disposition}"`)),
          );
          if (disposition === "stop") {
            await eventually(
              async () => stack.metrics.slice(metricsFrom),
              (lines) => lines.some((line) => line.includes('"ConsumerStopped":1')),
            );
          }
          expect(await storedIds(scenario)).toEqual([]);
        }
        await stack.ask("update raised set state = null");
        expect(await stack.deadLetters.depth()).toBe(0);

        const from = stack.lines.length;
        const bad = new Map(REFUSED.map((state, place) => [3 * place, state]));
        await scenario.deliver(scenario.events(20, (index) => ({ index, raise: bad.get(index) ?? null })));
        await eventually(stack.deadLetters.depth, (count) => count === REFUSED.length);
        await eventually(
          async () => batchLines(stack, from),
          (lines) => lines.some(({ EventsDeadLettered: count }) => count === REFUSED.length),
        );
        await scenario.atRest();
      } finally {
        await stack.ask("drop trigger raise on events");
        await stack.ask("drop table raised");
      }
      scenario.note(`${ORDERED.length + REFUSED.length} SQLSTATEs`);
    },
    { deadLetters: REFUSED.length },
  );
});

describe("a PostgreSQL that crashes", () => {
  faultCase(
    "F39",
    "PostgreSQL immediate stop under load",
    () => stack,
    async (scenario) => {
      const from = stack.lines.length;
      const arrivals = startArrivals(scenario, { requestsPerSecond: sized(20, 10), perRequest: 10 });
      const crashes = sized(3, 50);
      const broken = () => batchLines(stack, from).filter(({ disposition }) => disposition === "retry").length;
      for (let crash = 0; crash < crashes; crash++) {
        await stored(COMMITS_BEFORE_CRASH);
        // A statement takes some milliseconds: the next ones are under way, or committed.
        await delay(Math.random() * 10);
        await stack.postgres.stop("immediate");
        // A restart is so quick that repeated calls may succeed. One outage lasts until a batch has failed.
        if (crash === 0) await eventually(broken, (batches) => batches > 0);
        await stack.postgres.start();
      }
      await scenario.heal();
      await arrivals.stop();

      expect(broken()).toBeGreaterThan(0);
      scenario.note(`${crashes} crashes, ${broken()} batches broken`);
    },
    // A third of the time that it was away again and again.
    { drainWithinMs: 45_000 },
  );
});

/** The rows that a crash could lose. */
const COMMITS_BEFORE_CRASH = 3;

/** Waits until consumers have committed so many more statements. */
async function stored(commits: number): Promise<void> {
  await new Promise<void>((resolve) => {
    stack.failpoints.order(({ functionName, point, count }) => {
      if (functionName === "consume" && point === "afterStore" && count >= commits) resolve();
      return "go";
    });
  });
}

/** Five consumers whose SDK repeats each call twice: of so many answers in a row one call must lose all of its own. */
const UNTIL_ONE_GIVES_UP = 5 * 2 + 1;

/** A connection that breaks, a gateway's time-out (504), and what the SDK cannot repair by itself. */
const LOSSES = [
  { kind: "dropAfter", calls: 1 },
  { kind: "errorAfter", error: "DatabaseUnavailableException", calls: 1 },
  { kind: "dropAfter", calls: UNTIL_ONE_GIVES_UP },
] as const;

/** SQLSTATE, disposition, and what the log names it by: the Data API does not tell the states of lost connections. */
const ORDERED = [
  ["40001", "retry", '"sqlState":"40001"'],
  ["40P01", "retry", '"sqlState":"40P01"'],
  ["57P01", "retry", '"reason":"database_unavailable"'],
  ["53100", "retry", '"sqlState":"53100"'],
  ["53300", "retry", '"sqlState":"53300"'],
  ["08006", "retry", '"reason":"database_unavailable"'],
  ["57014", "retry", '"sqlState":"57014"'],
  ["42P01", "stop", '"sqlState":"42P01"'],
  ["28000", "stop", '"sqlState":"28000"'],
] as const;

/** The event's own fault. */
const REFUSED = ["22003", "22P05", "23502", "23514", "P0001"];

/** Raises the state that is ordered for every event, or the one that the event itself names. */
const RAISE = `
  create or replace function raise_ordered() returns trigger language plpgsql as $$
  declare
    wanted text = coalesce((select state from raised), new.data ->> 'raise');
  begin
    if wanted is not null then
      raise exception 'raised by the fault test' using errcode = wanted;
    end if;
    return new;
  end
  $$
`;

const DAY_MS = 86_400_000;
const day = (offset: number) => new Date(Date.now() + offset * DAY_MS).toISOString().slice(0, 10);
const partition = (date: string) => `events_30d_${date.replaceAll("-", "")}`;

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

function inTwenties<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / 20) }, (_, i) => all.slice(20 * i, 20 * (i + 1)));
}

async function storedIds({ source }: FaultScenario): Promise<string[]> {
  const rows = await stack.ask<{ id: string }>("select id from events where source = $1", [source]);
  return rows.map(({ id }) => id);
}
