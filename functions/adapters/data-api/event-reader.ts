import { RESULT_PIECE_CHARACTERS } from "../../core/database-limits.ts";
import { AMBIGUOUS_MAX_SOURCES } from "../../core/limits.ts";
import type { EventReader, FoundEvent, SqlDatabase } from "../../core/ports.ts";
import { textArray, toTextArray } from "./text-array.ts";

/**
 * Documented in functions/sql/0001_events.sql, with the indexes that it relies on.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.limitations.html
 */
const readEvent = `
  select found_source, piece
  from read_event(
    :tenant, :id, :source, ${AMBIGUOUS_MAX_SOURCES}, ${RESULT_PIECE_CHARACTERS},
    ${textArray(":types")}, ${textArray(":sources")}
  )`;

/** The reader of stored events: one statement an event. */
export function createEventReader(database: SqlDatabase): EventReader {
  return {
    async find({ tenant, id, source, allowed }, deadline): Promise<FoundEvent> {
      const parameters = {
        tenant,
        id,
        source: source ?? null,
        types: toTextArray(allowed?.types),
        sources: toTextArray(allowed?.sources),
      };
      const { rows } = await database.execute(readEvent, parameters, deadline);
      const sources = [...new Set(rows.map((row) => String(row[0])))];
      const [only] = sources;
      if (only === undefined) return { kind: "absent" };
      if (sources.length > 1) return { kind: "ambiguous", sources };
      const json = rows.map((row) => row[1] ?? "").join("");
      return json === "" ? { kind: "absent" } : { kind: "found", json };
    },
  };
}
