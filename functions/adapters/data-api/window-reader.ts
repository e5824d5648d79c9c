import * as z from "zod/mini";
import { DatabaseError } from "../../core/errors.ts";
import type { SqlDatabase } from "../../core/ports.ts";
import type { WindowReader } from "../../core/window-reader.ts";

/** Documented in functions/sql/0003_feed.sql, with the index that it relies on. */
const windowState = `
  select version, age_ms from window_state(:tenant, cast(:from as timestamptz), cast(:to as timestamptz))`;

const row = z.tuple([z.string(), z.number()]);

/** The reader of ranges of time: one statement, which reads no event. */
export function createWindowReader(database: SqlDatabase): WindowReader {
  return {
    async read({ tenant, received: { from = null, to = null } }, deadline) {
      const { rows } = await database.execute(windowState, { tenant, from, to }, deadline);
      const parsed = row.safeParse(rows[0]);
      if (!parsed.success) {
        throw new DatabaseError({
          disposition: "stop",
          reason: "unexpected_result",
          detail: "window_state returned a row of another form.",
        });
      }
      const [version, horizonAgeMs] = parsed.data;
      return { version, horizonAgeMs };
    },
  };
}
