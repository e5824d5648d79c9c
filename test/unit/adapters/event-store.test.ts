import { expect, it } from "vitest";
import { createEventStore } from "../../../functions/adapters/data-api/event-store.ts";
import type { SqlValue } from "../../../functions/core/ports.ts";
import { storables } from "../../support/event-samples.ts";

const storeThatAnswers = (rows: SqlValue[][]) =>
  createEventStore({
    execute: async () => ({ rows, updated: 0 }),
    transaction: () => Promise.reject(new Error("not used")),
  });

it.each([
  ["no rows", []],
  ["no sum", [["conflict", 0, null, null]]],
  [
    "a place that is not in the batch",
    [
      ["refused", 3, "22003", "ERROR: no"],
      ["stored", 2, null, null],
    ],
  ],
  ["a sum that is no number", [["stored", null, null, null]]],
] as [string, SqlValue[][]][])("takes %s for a failure and not for success", async (_what, rows) => {
  await expect(storeThatAnswers(rows).store(storables(3, "e"), Date.now() + 1_000)).rejects.toMatchObject({
    name: "DatabaseError",
    disposition: "stop",
    reason: "unexpected_result",
  });
});

it("adds up the sums of the blocks", async () => {
  const store = storeThatAnswers([
    ["stored", 2, null, null],
    ["stored", 1, null, null],
  ]);

  expect(await store.store(storables(3, "e"), Date.now() + 1_000)).toEqual({
    stored: 3,
    conflicts: [],
    erased: 0,
    refused: [],
  });
});
