import { DEAD_LETTERS_DELETED_AT_ONCE } from "../core/database-limits.ts";
import { DatabaseError } from "../core/errors.ts";
import type { TaskFields } from "../core/log-lines.ts";
import type { Clock, SqlDatabase } from "../core/ports.ts";

const DAY_MS = 86_400_000;

export type DeadLetterFields = Pick<TaskFields, "deadLettersDeleted">;

/**
 * Deletes dead letters that were closed more than so many days ago, where the stage has such a number. An open one is never
 * deleted. A statement that fails ends it: the next day it goes on.
 */
export function createKeepDeadLetters({
  database,
  clock,
  days,
}: {
  database: Pick<SqlDatabase, "execute">;
  clock: Clock;
  days: number | undefined;
}) {
  return async function keepDeadLetters(deadline: number): Promise<DeadLetterFields> {
    if (days === undefined) return {};
    const before = new Date(clock().getTime() - days * DAY_MS).toISOString();
    let deleted = 0;
    try {
      for (let most = DEAD_LETTERS_DELETED_AT_ONCE; most === DEAD_LETTERS_DELETED_AT_ONCE; deleted += most) {
        if (clock().getTime() >= deadline) break;
        const { rows } = await database.execute(deleteClosed, { before }, deadline);
        most = Number(rows[0]?.[0]);
      }
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
    }
    return { deadLettersDeleted: deleted };
  };
}

/** Documented in functions/sql/0008_replays.sql. */
const deleteClosed = `select delete_closed_dead_letters(cast(:before as timestamptz), ${DEAD_LETTERS_DELETED_AT_ONCE})`;
