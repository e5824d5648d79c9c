import { describe, expect, it } from "vitest";
import { DatabaseError } from "../../../functions/core/errors.ts";
import type { ReceivedMessage } from "../../../functions/core/queue-message.ts";
import type { Attachment, DueDay, PlannedRetention, RetentionWork } from "../../../functions/core/retention-work.ts";
import { createDetach } from "../../../functions/retain/detach.ts";
import { createRetain } from "../../../functions/retain/retain.ts";
import { createRunSteps } from "../../../functions/retain/run-steps.ts";
import { createRetainStep, type StepOutcome } from "../../../functions/retain/step.ts";

const NOW = Date.parse("2026-11-30T04:00:00Z");
const failure = (reason: string) => new DatabaseError({ disposition: "retry", reason, detail: `${reason}!` });

function retain({
  isSent = true,
  isArchived = false,
  planned = [] as PlannedRetention[],
  rollupDays,
}: {
  isSent?: boolean;
  isArchived?: boolean;
  planned?: PlannedRetention[];
  rollupDays?: number;
} = {}) {
  const metrics: Record<string, number> = {};
  const asked: string[] = [];
  const dropped: string[] = [];
  const rule = createRetain({
    work: { lag: async () => ({ daysAhead: 5, archiveDaysBehind: 3, daysBehind: 1 }) },
    plans: {
      read: async (until) => {
        asked.push(until);
        return planned;
      },
      readRollups: async (days, until) => ({
        deletedBefore: days === undefined ? undefined : until,
        rows: undefined,
        bytes: 5,
      }),
    },
    steps: { send: async () => isSent },
    erasures: { dropRules: async () => undefined },
    restores: { dropEnded: async (before) => dropped.push(before) },
    holds: { countActive: async () => ({ holds: 3, tenants: 2 }) },
    clock: () => new Date(NOW),
    metrics: {
      addMetric: (name, _unit, value) => {
        metrics[name] = value;
      },
    },
    ofStage: "30d",
    isArchived,
    rollupDays,
  });
  return { ...rule, metrics, asked, dropped };
}

describe("a daily run", () => {
  it("reports what the run before has left, and sends the first step", async () => {
    const { run, metrics, dropped } = retain();

    expect(await run(NOW)).toEqual({ partitionDaysMissing: 9, retentionDaysBehind: 1 });
    expect(dropped).toEqual(["2026-11-23T04:00:00.000Z"]);
    expect(metrics).toEqual({ PartitionDaysMissing: 9, RetentionDaysBehind: 1 });
  });

  it("reports what waits for the archive where the stage archives", async () => {
    const { run, metrics } = retain({ isArchived: true });

    expect(await run(NOW)).toMatchObject({ archiveDaysBehind: 3 });
    expect(metrics).toMatchObject({ ArchiveDaysBehind: 3 });
  });

  it("fails where the queue does not confirm the step, so that it is invoked again", async () => {
    await expect(retain({ isSent: false }).run(NOW)).rejects.toThrow("did not confirm");
  });
});

describe("a plan", () => {
  it("has the days that are due by a day, and what is kept by class", async () => {
    const none = { fault: undefined, tables: 1, events: undefined, bytes: 10 };
    const { plan, asked } = retain({
      planned: [
        { ...none, class: 7, day: "2026-11-22", state: "due", dueOn: "2026-11-30", fault: "lock" },
        { ...none, class: 7, day: undefined, state: "kept", dueOn: "2026-12-09", tables: 21, events: 5 },
        { ...none, class: 0, day: undefined, state: "kept", dueOn: undefined },
        { ...none, class: -1, day: undefined, state: "held", dueOn: undefined },
      ],
    });

    expect(await plan(7, NOW)).toEqual({
      until: "2026-12-07",
      default: "30d",
      archive: "none",
      drops: [
        { class: "7d", day: "2026-11-22", dueOn: "2026-11-30", state: "due", events: null, bytes: 10, fault: "lock" },
      ],
      keeps: [
        { class: "7d", tables: 21, events: 5, bytes: 10, nextOn: "2026-12-09" },
        { class: "keep", tables: 1, events: null, bytes: 10, nextOn: null },
        { class: "held", tables: 1, events: null, bytes: 10, nextOn: null },
      ],
      rollups: { days: null, deletedBefore: null, rows: null, bytes: 5 },
      holds: { active: 3, tenants: 2 },
    });
    expect(asked).toEqual(["2026-12-07"]);
  });

  it("has the day before which rollups are deleted by then, where they are not kept for good", async () => {
    const { plan } = retain({ rollupDays: 90 });

    expect(await plan(7, NOW)).toMatchObject({ rollups: { days: 90, deletedBefore: "2026-12-07" } });
  });
});

describe("a detachment", () => {
  /** A table whose statements do this, or fail. */
  function table(
    at: Attachment,
    { detach, finalize }: { detach?: Attachment | "cut off"; finalize?: Attachment } = {},
  ) {
    const calls: string[] = [];
    let attachment = at;
    const run = createDetach({
      attachmentOf: async () => attachment,
      detach: async () => {
        calls.push("detach");
        attachment = detach === "cut off" ? "pending" : (detach ?? attachment);
        if (attachment !== "detached") throw failure("statement_timeout");
      },
      finalize: async () => {
        calls.push("finalize");
        attachment = finalize ?? attachment;
        if (attachment !== "detached") throw failure("statement_timeout");
      },
    });
    return { calls, run: () => run("events_7d_20261121", NOW) };
  }

  it.each<[string, Parameters<typeof table>, string[]]>([
    ["is one statement", ["attached", { detach: "detached" }], ["detach"]],
    [
      "is completed where it was cut off",
      ["attached", { detach: "cut off", finalize: "detached" }],
      ["detach", "finalize"],
    ],
    ["is completed where another run was cut off", ["pending", { finalize: "detached" }], ["finalize"]],
    ["is nothing for a detached table", ["detached"], []],
    ["is nothing for a table that is dropped", ["missing"], []],
  ])("%s", async (_name, given, calls) => {
    const { run, ...seen } = table(...given);

    await run();

    expect(seen.calls).toEqual(calls);
  });

  it.each<[string, Parameters<typeof table>]>([
    ["did not begin", ["attached"]],
    ["cannot be completed", ["attached", { detach: "cut off" }]],
  ])("fails where it %s", async (_name, given) => {
    await expect(table(...given).run()).rejects.toThrow(DatabaseError);
  });
});

const DAY: DueDay = {
  class: 7,
  day: "2026-11-21",
  state: "due",
  eventsTable: "events_7d_20261121",
  fieldsTable: "event_fields_7d_20261121",
  wasDetached: false,
  waitSeconds: 0,
};

/** A step over one day, whose states follow each other; `calls` are those of the work. */
function stepOver(
  changes: Partial<RetentionWork> = {},
  { now = () => NOW, isSent = true, rollupDays }: { now?: () => number; isSent?: boolean; rollupDays?: number } = {},
) {
  const calls: string[] = [];
  let state: DueDay["state"] | "dropped" = "due";
  const sent: number[] = [];
  const to = (name: string, next: typeof state) => {
    calls.push(name);
    state = next;
  };
  const work: RetentionWork = {
    take: async () => true,
    leave: async () => void calls.push("leave"),
    next: async () => (state === "dropped" ? undefined : { ...DAY, state }),
    postpone: async (_day, why) => void calls.push(`postpone ${why}`),
    attachmentOf: async () => "detached",
    detach: async () => undefined,
    finalize: async () => undefined,
    forget: async () => 0,
    noteDetached: async () => to("detached", "detached"),
    deleteKeys: async () => {
      to("keys", "keys_deleted");
      return false;
    },
    drop: async () => {
      to("drop", "dropped");
      return 100;
    },
    holds: async () => [],
    moveHeld: async () => 0,
    tenantsWithHeld: async () => [],
    dropReleased: async () => 0,
    tenantsWithOldRollups: async () => [],
    deleteRollups: async () => false,
    lag: async () => ({ daysAhead: 14, archiveDaysBehind: 0, daysBehind: 0 }),
    ...changes,
  };
  const steps = {
    send: async (seconds: number) => {
      sent.push(seconds);
      return isSent;
    },
  };
  const step = createRetainStep({ work, steps, clock: () => new Date(now()), rollupDays });
  return { calls, sent, run: () => step({ messageId: "m" }, NOW + 240_000), step };
}

describe("a step", () => {
  it("takes a day through its states, and gives the work back", async () => {
    const { run, calls, sent } = stepOver();

    expect(await run()).toEqual({ kind: "done", dropped: 1, bytes: 100, postponed: [] });
    expect(calls).toEqual(["detached", "keys", "drop", "leave"]);
    expect(sent).toEqual([]);
  });

  it("leaves the rest to the next one when its time is over", async () => {
    let now = NOW;
    const { run, sent } = stepOver({ deleteKeys: async () => (now += 200_000) > 0 }, { now: () => now });

    expect(await run()).toMatchObject({ kind: "continued", dropped: 0 });
    expect(sent).toEqual([0]);
  });

  it("begins after the wait of a day that is tried again, at most a quarter of an hour later", async () => {
    const { run, sent } = stepOver({ next: async () => ({ ...DAY, waitSeconds: 3_600 }) });

    expect(await run()).toMatchObject({ kind: "waiting" });
    expect(sent).toEqual([900]);
  });

  it("stays in the queue where the message of the next one is not confirmed", async () => {
    const { run } = stepOver({ next: async () => ({ ...DAY, waitSeconds: 60 }) }, { isSent: false });

    expect(await run()).toMatchObject({ kind: "unsent" });
  });

  it("makes a day wait that fails, with the reason", async () => {
    let fails = true;
    const { run, calls } = stepOver({
      drop: () => Promise.reject(failure("object_not_available")),
      next: async () => (fails ? ((fails = false), { ...DAY, state: "keys_deleted" as const }) : undefined),
    });

    expect(await run()).toMatchObject({
      kind: "done",
      postponed: [{ class: 7, day: "2026-11-21", reason: "object_not_available" }],
    });
    expect(calls).toEqual(["postpone object_not_available: object_not_available!", "leave"]);
  });

  it("deletes the rollups of each tenant whose time is over, some at a time, behind the days", async () => {
    const deleted: string[] = [];
    const { run, calls, sent } = stepOver(
      {
        tenantsWithOldRollups: async () => ["acme", "beta"],
        deleteRollups: async (tenant, days, most) => {
          calls.push("rollups");
          return deleted.push(`${tenant} ${days} ${most}`) < 3;
        },
      },
      { rollupDays: 90 },
    );

    expect(await run()).toMatchObject({ kind: "done" });
    expect(deleted).toEqual(["acme 90 10000", "acme 90 10000", "acme 90 10000", "beta 90 10000"]);
    expect(calls.at(3)).toBe("rollups");
    expect(sent).toEqual([]);
  });

  it("leaves the rest of the rollups to the next step when its time is over", async () => {
    let now = NOW;
    const { run, sent } = stepOver(
      { tenantsWithOldRollups: async () => ["acme"], deleteRollups: async () => (now += 50_000) > 0 },
      { now: () => now, rollupDays: 90 },
    );

    expect(await run()).toMatchObject({ kind: "continued", dropped: 1 });
    expect(now - NOW).toBe(150_000);
    expect(sent).toEqual([0]);
  });

  it("deletes no rollups where they are kept for good", async () => {
    const { run } = stepOver({ tenantsWithOldRollups: () => Promise.reject(new Error("asked")) });

    expect(await run()).toMatchObject({ kind: "done" });
  });

  it("ends with any other error, which is a fault of the code", async () => {
    await expect(stepOver({ drop: () => Promise.reject(new TypeError("a fault")) }).run()).rejects.toThrow("a fault");
  });
});

describe("the messages of steps", () => {
  const message = { messageId: "m" } as ReceivedMessage;

  it.each([
    [{ kind: "done", dropped: 1, bytes: 5, postponed: [] } satisfies StepOutcome, [], "info"],
    [{ kind: "busy" } satisfies StepOutcome, [], "info"],
    [{ kind: "unsent", dropped: 0, bytes: 0, postponed: [] } satisfies StepOutcome, [message], "warn"],
  ])("are done with by %o, or stay", async (outcome, remaining, level) => {
    expect(await createRunSteps(async () => outcome)([message], NOW)).toMatchObject({
      remaining,
      level,
      fields: { failedMessages: remaining.length, retention: { outcome: outcome.kind } },
    });
  });

  it("stay where the database does not answer", async () => {
    const run = createRunSteps(() => Promise.reject(failure("database_unreachable")));

    expect(await run([message], NOW)).toMatchObject({
      remaining: [message],
      fields: { retention: { outcome: "failed", reason: "database_unreachable" } },
    });
  });
});
