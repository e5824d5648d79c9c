import { describe, expect, it } from "vitest";
import { DEAD_LETTERS_DELETED_AT_ONCE } from "../../../functions/core/database-limits.ts";
import { DatabaseError } from "../../../functions/core/errors.ts";
import { createKeepDeadLetters } from "../../../functions/migrate/keep-dead-letters.ts";

const NOW = "2026-11-29T10:00:00.000Z";

function underTest(counts: (number | Error)[], days: number | undefined = 30) {
  const calls: (string | null | undefined)[] = [];
  const keep = createKeepDeadLetters({
    database: {
      execute: async (_sql, { before }) => {
        calls.push(before);
        const count = counts.shift() ?? 0;
        if (count instanceof Error) throw count;
        return { rows: [[count]], updated: 0 };
      },
    },
    clock: () => new Date(NOW),
    days,
  });
  return { calls, keep: () => keep(Date.parse(NOW) + 60_000) };
}

describe("the retention of dead letters", () => {
  it("closed dead letters are deleted in parts until there are no more", async () => {
    const test = underTest([DEAD_LETTERS_DELETED_AT_ONCE, 7]);

    expect(await test.keep()).toEqual({ deadLettersDeleted: DEAD_LETTERS_DELETED_AT_ONCE + 7 });
    expect(test.calls).toEqual(["2026-10-30T10:00:00.000Z", "2026-10-30T10:00:00.000Z"]);
  });

  it("nothing is deleted where the stage has no such number", async () => {
    const keep = createKeepDeadLetters({
      database: { execute: async () => Promise.reject(new Error("asked")) },
      clock: () => new Date(NOW),
      days: undefined,
    });

    expect(await keep(Date.parse(NOW) + 60_000)).toEqual({});
  });

  it("a statement that fails ends it, and the deployment goes on", async () => {
    const outage = new DatabaseError({ disposition: "retry", reason: "statement_timeout", detail: "" });

    expect(await underTest([DEAD_LETTERS_DELETED_AT_ONCE, outage]).keep()).toEqual({
      deadLettersDeleted: DEAD_LETTERS_DELETED_AT_ONCE,
    });
  });
});
