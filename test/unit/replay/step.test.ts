import { describe, expect, it } from "vitest";
import type { ReplayJob, ReplayStep } from "../../../functions/core/replay-job.ts";
import {
  REPLAY_ANSWER_MS,
  REPLAY_NO_PROGRESS_HOURS,
  REPORT_AGAIN_SECONDS,
  SETTLE_HOURS,
} from "../../../functions/core/replay-limits.ts";
import type { StepOutcome } from "../../../functions/replay/step.ts";
import { JOB_ID, Killed, outage, type Place, stepUnderTest } from "./support.ts";

/** The Data API ends a statement then. */
const STATEMENT_MS = 45_000;

const ids = (count: number) => Array.from({ length: count }, (_, at) => `dl_${at.toString(16).padStart(32, "0")}`);

describe("a step of a replay", () => {
  it("a replay sends each dead letter once, as it was, in its tenant's group, with its number and id, and is done", async () => {
    const all = ids(7);
    const test = stepUnderTest(all);

    const result = await test.run();

    expect(result).toEqual({ kind: "ended", state: "done", reason: undefined, sent: 7, open: 0 });
    expect(test.enqueued.map(({ message }) => message)).toEqual(
      all.map((id) => ({ body: `body of ${id}`, group: "acme", attributes: { replays: "1", deadLetterId: id } })),
    );
    expect(test.job()).toMatchObject({ state: "done", taken: 7, sent: 7 });
  });

  const places: Place[] = ["hold", "take", "took", "send", "sent", "mark", "marked", "end", "ended", "step"];
  it.each(places)("a replay whose step is killed at %s sends every dead letter, and ends", async (place) => {
    let killed = false;
    const test = stepUnderTest(ids(5), {
      at: (reached) => {
        if (reached !== place || killed) return;
        killed = true;
        throw new Killed();
      },
    });

    await test.deliver();

    expect(killed).toBe(true);
    // What was sent and not marked is sent again: twice at most, and never not at all.
    expect(Math.min(...test.copies())).toBe(1);
    expect(Math.max(...test.copies())).toBeLessThanOrEqual(2);
    expect(test.rows.every(({ state, number }) => state === "sent" && number === 1)).toBe(true);
    expect(test.job()).toMatchObject({ state: "done", taken: 5, sent: 5 });
  });

  it.each(["take", "mark", "end"] as const)("an outage at %s is waited out, however long it lasts", async (place) => {
    let left = 400;
    const test = stepUnderTest(ids(3), {
      at: (reached) => {
        if (reached === place && (left -= 1) >= 0) throw outage();
      },
    });
    let step: ReplayStep = { id: JOB_ID };
    const waits: number[] = [];

    for (let number = 0; test.job().state === "running"; number++) {
      await test.run(step, `m-${number}`);
      const next = test.messages.at(-1);
      step = next?.step ?? step;
      waits.push(next?.seconds ?? 0);
      test.pass(Math.max(next?.seconds ?? 0, 70) * 1_000);
      expect(number).toBeLessThan(1_000);
    }

    expect(Math.max(...waits)).toBe(600);
    expect(test.now() - Date.parse(test.job().createdAt)).toBeGreaterThan(2 * 86_400_000);
    expect(test.job()).toMatchObject({ state: "done", sent: 3 });
    expect(Math.min(...test.copies())).toBe(1);
  });

  it("a cancelled replay takes no more, and sends what it has taken before it ends", async () => {
    const test = stepUnderTest(ids(9), {
      at: (place) => {
        if (place === "took") test.change({ isCancelling: true });
      },
    });

    await test.run();

    expect(test.job()).toMatchObject({ state: "cancelled", taken: 3, sent: 3 });
    expect(test.rows.map(({ state }) => state)).toEqual([...Array(3).fill("sent"), ...Array(6).fill("open")]);
  });

  it("a replay whose key is revoked sends what it has taken, and fails", async () => {
    let killed = false;
    const test = stepUnderTest(ids(9), {
      at: (place) => {
        if (place !== "took" || killed) return;
        killed = true;
        throw new Killed();
      },
    });
    await expect(test.run()).rejects.toThrow(Killed);
    test.access.key = undefined;
    test.pass(360_000);

    expect(await test.run()).toMatchObject({ kind: "ended", state: "failed", reason: "key_ended" });

    expect(test.job()).toMatchObject({ state: "failed", reason: "key_ended", taken: 3, sent: 3 });
  });

  it("a job of the installation needs no tenant", async () => {
    const test = stepUnderTest(ids(1), { job: { tenant: "*" } });
    test.access.tenant = undefined;

    expect(await test.run()).toMatchObject({ kind: "ended", state: "done" });
  });

  it("a filter that the database refuses ends the job, and everything it took is sent", async () => {
    const test = stepUnderTest(ids(4), {
      at: (place) => {
        if (place === "took") test.world.refusesTake = true;
      },
    });

    expect(await test.run()).toMatchObject({ kind: "ended", state: "failed", reason: "refused", sent: 3 });
  });

  it("what the queue does not confirm is sent again, and is open again after a day", async () => {
    const test = stepUnderTest(ids(2));
    test.world.accepts = false;
    let step: ReplayStep = { id: JOB_ID };

    for (let number = 0; test.job().state === "running" && number < 1_000; number++) {
      await test.run(step, `m-${number}`);
      const next = test.messages.at(-1);
      step = next?.step ?? step;
      test.pass((next?.seconds ?? 0) * 1_000);
    }

    expect(test.now() - Date.parse(test.job().createdAt)).toBeGreaterThan(REPLAY_NO_PROGRESS_HOURS * 3_600_000);
    expect(test.job()).toMatchObject({ state: "failed", reason: "not_sent", sent: 0 });
    expect(test.rows.map(({ state }) => state)).toEqual(["open", "open"]);
  });

  it("a message of a step that nobody confirms stays in the queue", async () => {
    const test = stepUnderTest(ids(1), { job: { request: { limit: 1 } } });
    test.world.confirms = false;

    expect(await test.run()).toEqual({ kind: "unsent" });
  });

  it("a step whose job another step holds is postponed until the lease ends", async () => {
    const test = stepUnderTest(ids(1), {
      at: (place) => {
        if (place === "took") throw new Killed();
      },
    });
    await expect(test.run({ id: JOB_ID }, "one")).rejects.toThrow(Killed);
    test.pass(25_000);

    expect(await test.run({ id: JOB_ID, attempts: 2 }, "two")).toEqual({ kind: "postponed" });
    expect(test.messages).toEqual([{ step: { id: JOB_ID, attempts: 2 }, seconds: 40 }]);
  });

  it("a step whose job is not written yet comes again, for longer than a request may take to write it, and is dropped then", async () => {
    const test = stepUnderTest(ids(1));
    let waited = 0;

    let outcome = await test.run({ id: "rpl_other" });
    for (; outcome.kind === "retried"; outcome = await test.run(test.messages.at(-1)?.step))
      waited += (test.messages.at(-1)?.seconds ?? 0) * 1_000;

    expect(outcome).toEqual({ kind: "absent" });
    expect(waited).toBeGreaterThan(REPLAY_ANSWER_MS + STATEMENT_MS);
    expect(test.messages.length).toBeLessThan(10);
  });

  it("a rate holds within a step and over steps, and a step takes no more than it can send", async () => {
    const test = stepUnderTest(ids(200), { job: { request: { rate: 2 } }, takeMost: 1_000, pageOf: 1_000 });

    expect(await test.run()).toMatchObject({ kind: "continued" });
    expect(test.job().taken).toBeLessThan(100);
    await test.deliver(test.messages.at(-1)?.step);

    expect(test.enqueued).toHaveLength(200);
    const [first, last] = [test.enqueued[0]?.at ?? 0, test.enqueued.at(-1)?.at ?? 0];
    expect((199 / (last - first)) * 1_000).toBeLessThanOrEqual(2.05);
    expect((199 / (last - first)) * 1_000).toBeGreaterThan(1.7);
  });

  it("a replay to another queue sends there, without the row that could not open again, and looks for no outcome", async () => {
    const test = stepUnderTest(ids(1), { job: { request: { to: "https://sqs.example/other" } } });

    await test.run();

    expect(test.enqueued).toMatchObject([
      { to: "https://sqs.example/other", message: { attributes: { replays: "1" } } },
    ]);
    expect(test.enqueued[0]?.message.attributes).not.toHaveProperty("deadLetterId");
    expect(test.messages).toEqual([{ step: { id: JOB_ID }, seconds: REPORT_AGAIN_SECONDS }]);
  });

  it("a discard sends nothing, and looks for no outcome", async () => {
    const test = stepUnderTest(ids(4), { job: { action: "discard", request: { note: "old" } } });

    expect(await test.run()).toMatchObject({ kind: "ended", state: "done" });

    expect([test.enqueued, test.messages]).toEqual([[], [{ step: { id: JOB_ID }, seconds: REPORT_AGAIN_SECONDS }]]);
    expect(test.job()).toMatchObject({ taken: 4, sent: 4 });
  });

  it.each<[string, Partial<ReplayJob>]>([
    ["replay", {}],
    ["discard", { action: "discard", request: { note: "old" } }],
  ])(
    "the open dead letters are reported a minute after the end of a %s, and nothing asks the database after that",
    async (_name, job) => {
      const test = stepUnderTest(ids(1), { job });
      await test.run();
      const endedAt = test.now();
      let outcome: StepOutcome | undefined;

      for (let next = test.messages.shift(); next !== undefined; next = test.messages.shift()) {
        test.pass(next.seconds * 1_000);
        outcome = await test.run(next.step);
      }

      expect(outcome).toMatchObject({ open: 0 });
      // A datapoint of the alarm is a minute.
      expect(test.now() - endedAt).toBeGreaterThan(60_000);
      expect(test.now() - endedAt).toBeLessThan(120_000);
    },
  );

  it("outcomes are looked for later and later, and for a day at most", async () => {
    const test = stepUnderTest(ids(1));
    test.world.unsettled = 1;
    await test.run();
    const waits: number[] = [];

    for (let next = test.messages.at(-1); next !== undefined; next = test.messages.at(-1)) {
      waits.push(next.seconds);
      test.pass(next.seconds * 1_000);
      test.messages.length = 0;
      await test.run(next.step);
    }

    expect(waits.slice(0, 4)).toEqual([2, 4, 8, 16]);
    expect(waits.at(-1)).toBe(900);
    const sum = waits.reduce((all, seconds) => all + seconds, 0);
    expect(sum).toBeGreaterThan(SETTLE_HOURS * 3_600);
    expect(sum).toBeLessThan(SETTLE_HOURS * 3_600 + 1_000);
  });
});
