import { describe, expect, it } from "vitest";
import { exportRow, redeliveryRow, replayRow } from "../../../console/screens/jobs/job-row.ts";
import { OUTCOME_MS, watchJob } from "../../../console/screens/jobs/watch-job.ts";
import { doneExport, exportJob } from "../../../functions/api-docs/export-examples.ts";
import { discard, doneReplay, replay } from "../../../functions/api-docs/replay-examples.ts";
import { doneRedelivery, redelivery } from "../../../functions/api-docs/subscription-examples.ts";
import { schemas } from "../../../functions/core/answer.ts";

const replayJob = (changes = {}) => schemas.Replay.parse({ ...replay, ...changes });

describe("a job in a row", () => {
  it("the receipt of a replay adds up: what was sent is stored, came back or is not known yet", () => {
    const row = replayRow(replayJob({ state: "done", planned: 9, taken: 9, sent: 9, stored: 6, deadLettered: 1 }));
    const values = Object.fromEntries(row.counts.map(({ label, value }) => [label, value]));

    expect(values).toMatchObject({ sent: 9, stored: 6, "came back": 1, "outcome not known yet": 2 });
  });

  it("a replay that has ended moves until the outcome of each event is known", () => {
    const done = { state: "done", planned: 9, taken: 9, sent: 9, deadLettered: 1 };

    expect(replayRow(replayJob({ ...done, stored: 6 }))).toMatchObject({ isFinished: true, isMoving: true });
    expect(replayRow(replayJob({ ...done, stored: 8 }))).toMatchObject({ isFinished: true, isMoving: false });
  });

  it("a replay to another queue moves no more when it has ended, for its outcome stays unknown", () => {
    const sent = { state: "done", planned: 9, taken: 9, sent: 9, stored: 0, deadLettered: 0 };

    expect(replayRow(replayJob({ ...sent, request: { to: "https://sqs.example/q" } })).isMoving).toBe(false);
  });

  it("a job that is cancelled and still sends what it took says so", () => {
    expect(replayRow(replayJob({ state: "running", cancelling: true })).state).toBe("cancelling");
    expect(replayRow(replayJob({ state: "cancelled", cancelling: true })).state).toBe("cancelled");
  });

  it("a discard, an export and a redelivery have their own numbers", () => {
    expect(replayRow(schemas.Replay.parse(discard)).counts.map(({ label }) => label)).toEqual(["planned", "discarded"]);
    expect(exportRow(schemas.Export.parse(exportJob)).isMoving).toBe(true);
    expect(exportRow(schemas.Export.parse(doneExport)).isMoving).toBe(false);
    expect(redeliveryRow(schemas.Redelivery.parse(redelivery)).kind).toBe("redelivery");
  });

  it("a redelivery moves until the sink has answered for each delivery that it took", () => {
    const parsed = schemas.Redelivery.parse(doneRedelivery);

    expect(redeliveryRow({ ...parsed, state: "done", taken: 5, delivered: 3, failed: 1 }).isMoving).toBe(true);
    expect(redeliveryRow({ ...parsed, state: "done", taken: 5, delivered: 4, failed: 1 }).isMoving).toBe(false);
  });

  it("the examples of the API are jobs that have ended", () => {
    expect(replayRow(schemas.Replay.parse(doneReplay)).isFinished).toBe(true);
  });
});

describe("watching a job", () => {
  const watch = (states: { isMoving: boolean; isFinished: boolean }[], unwatchedAt = Infinity) => {
    let now = 0;
    let reads = 0;
    const end = watchJob({
      read: () =>
        Promise.resolve(states[Math.min(reads++, states.length - 1)] ?? { isMoving: false, isFinished: true }),
      now: () => now,
      pause: (milliseconds) => {
        now += milliseconds;
        return Promise.resolve();
      },
      isUnwatched: () => now >= unwatchedAt,
    });
    return end.then((why) => ({ why, reads, now }));
  };
  const running = { isMoving: true, isFinished: false };
  const sent = { isMoving: true, isFinished: true };
  const settled = { isMoving: false, isFinished: true };

  it("ends as soon as nothing changes any more", async () => {
    expect(await watch([running, running, sent, settled])).toMatchObject({ why: "settled", reads: 4 });
  });

  it("ends when nobody looks, and asks no more after that", async () => {
    expect(await watch([running], 5_000)).toMatchObject({ why: "unwatched", reads: 4 });
  });

  it("looks for an outcome for five minutes after the end, at most each ten seconds", async () => {
    const { why, reads, now } = await watch([sent]);

    expect(why).toBe("late");
    expect(now).toBeGreaterThanOrEqual(OUTCOME_MS);
    expect(reads).toBeLessThan(60);
  });
});
