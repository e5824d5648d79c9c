import type { ErasureHoldFilter } from "../../core/erasure-job.ts";
import type { SqlDatabase } from "../../core/ports.ts";

/** The holds of a tenant that are in force. @throws DatabaseError */
export async function readErasureHolds(
  database: Pick<SqlDatabase, "execute">,
  tenant: string,
  deadline: number,
): Promise<ErasureHoldFilter[]> {
  const { rows } = await database.execute(HOLDS, { tenant }, deadline);
  return rows.map(([id, filter]) => ({ id: String(id), filter: typeof filter === "string" ? filter : undefined }));
}

const HOLDS = "select id, filter from active_holds() where tenant = :tenant";
