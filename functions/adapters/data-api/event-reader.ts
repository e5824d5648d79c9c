import { RESULT_PIECE_CHARACTERS } from "../../core/database-limits.ts";
import { AMBIGUOUS_MAX_SOURCES } from "../../core/limits.ts";
import type { EventReader, FoundEvent, SqlDatabase } from "../../core/ports.ts";

/** RFC 3339 in UTC with milliseconds, as a Postgres format. */
const MILLISECONDS = 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"';

/**
 * Finds one event by its id, as CloudEvents JSON in pieces: a result row may have 64 KB, an event four times as much.
 * Without a match there is no row; with several sources, a row for each and no pieces. Relies on event_keys' primary key
 * and events_by_arrival.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.limitations.html
 */
const findEvent = `
  with keys as (
    select tenant, id, source, received_at from event_keys
    where tenant = :tenant and id = :id and (cast(:source as text) is null or source = :source)
    order by source
    limit ${AMBIGUOUS_MAX_SOURCES}
  ),
  document as (
    select
      rtrim(cast(json_strip_nulls(json_build_object(
        'specversion', '1.0', 'id', e.id, 'source', e.source, 'type', e.type, 'subject', e.subject,
        'time', coalesce(e.time_sent, to_char(e.time at time zone 'UTC', '${MILLISECONDS}')),
        'dataschema', e.dataschema, 'datacontenttype', e.datacontenttype,
        'tenant', e.tenant, 'receivedat', to_char(e.received_at at time zone 'UTC', '${MILLISECONDS}')
      )) as text), '}')
      || coalesce(',' || nullif(trim(both '{}' from cast(e.extensions as text)), ''), '')
      || coalesce(',"data":' || cast(e.data as text), '')
      || coalesce(',"data_base64":"' || e.data_base64 || '"', '')
      || '}' as body
    from keys join events e using (tenant, received_at, id, source)
    where (select count(*) from keys) = 1
  )
  select keys.source, piece.number, substr(document.body, piece.number * ${RESULT_PIECE_CHARACTERS} + 1, ${RESULT_PIECE_CHARACTERS})
  from keys
  left join document on true
  left join generate_series(0, (length(document.body) - 1) / ${RESULT_PIECE_CHARACTERS}) as piece (number) on true
  order by keys.source, piece.number
`;

/** The reader of stored events: one statement an event. */
export function createEventReader(database: SqlDatabase): EventReader {
  return {
    async find({ tenant, id, source }, deadline): Promise<FoundEvent> {
      const { rows } = await database.execute(findEvent, { tenant, id, source: source ?? null }, deadline);
      const sources = [...new Set(rows.map((row) => String(row[0])))];
      if (sources.length > 1) return { kind: "ambiguous", sources };
      const json = rows.map((row) => row[2] ?? "").join("");
      return json === "" ? { kind: "absent" } : { kind: "found", json };
    },
  };
}
