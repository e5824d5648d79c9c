import { DatabaseError } from "../core/errors.ts";
import type { RetentionWork } from "../core/retention-work.ts";

/**
 * Detaches the table of a day. The statement waits for whoever reads or writes the class, and nobody waits for it. It is no part of
 * a transaction, so an answer that is an error says little: the catalog says what became of it, and one that was interrupted is
 * completed.
 * @throws DatabaseError where it has not come to its end; it may be tried again at any time
 */
export function createDetach(work: Pick<RetentionWork, "attachmentOf" | "detach" | "finalize">) {
  return async function detach(table: string, deadline: number): Promise<void> {
    let failure: DatabaseError | undefined;
    if ((await work.attachmentOf(table, deadline)) === "attached") {
      failure = await failureOf(work.detach(table, deadline));
    }
    const attachment = await work.attachmentOf(table, deadline);
    if (attachment === "attached" && failure !== undefined) throw failure;
    if (attachment !== "pending") return;
    failure = await failureOf(work.finalize(table, deadline));
    if ((await work.attachmentOf(table, deadline)) === "pending" && failure !== undefined) throw failure;
  };
}

async function failureOf(statement: Promise<void>): Promise<DatabaseError | undefined> {
  try {
    await statement;
    return undefined;
  } catch (error) {
    if (error instanceof DatabaseError) return error;
    throw error;
  }
}
