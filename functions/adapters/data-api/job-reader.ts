import type { HeldJob } from "../../core/held-job.ts";
import type { SqlDatabase } from "../../core/ports.ts";
import { joinPieces } from "./join-pieces.ts";

/**
 * Reads jobs of a kind. Their text comes in the pieces of `cut_text`, below the row limit of the Data API.
 * @param toJob reads the text of a job
 */
export function createJobReader<Job>(
  database: Pick<SqlDatabase, "execute">,
  kind: "replay" | "restore" | "erasure",
  toJob: (text: string) => Job,
) {
  const hold = `select held.outcome, held.seconds, text.piece
    from hold_${kind}(:id, :holder, cast(:seconds as integer)) as held left join lateral cut_text(held.job) as text on true`;

  return {
    /** The job that a call of a function in SQL returns; undefined where it returns null. */
    read: async (
      call: string,
      parameters: Record<string, string | null>,
      deadline: number,
    ): Promise<Job | undefined> => {
      const { rows } = await database.execute(`select piece from cut_text(${call})`, parameters, deadline);
      const text = joinPieces(rows);
      return text === undefined ? undefined : toJob(text);
    },

    /** Leases the job to a step for some seconds. */
    hold: async (id: string, holder: string, seconds: number, deadline: number): Promise<HeldJob<Job>> => {
      const { rows } = await database.execute(hold, { id, holder, seconds: String(seconds) }, deadline);
      const [outcome, rest] = rows[0] ?? [];
      const text = joinPieces(rows.map(([, , piece]) => [piece ?? ""])) ?? "";
      switch (outcome) {
        case "absent":
          return { kind: "absent" };
        case "leased":
          return { kind: "leased", seconds: Number(rest) };
        case "over":
          return { kind: "over", job: toJob(text) };
        case "held":
          return { kind: "held", job: toJob(text) };
        default:
          throw new TypeError(`hold_${kind} returned another outcome.`);
      }
    },
  };
}
