import { AGGREGATE_MAX_ROWS } from "../core/aggregate-limits.ts";
import type { Aggregate, AggregateReader, AggregateRow, ScannedAggregate } from "../core/aggregate-reader.ts";
import { parseLossless } from "../core/lossless-json.ts";
import type { Clock } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";
import { fitsRollups } from "../core/rollup-scope.ts";
import type { AggregateAsked } from "./aggregate-request.ts";

export type AggregateRequest = AggregateAsked & {
  /** The caller, of whose tenant the events count whose type and source the key allows. */
  principal: Pick<Principal, "tenant" | "types" | "sources">;
  /** Time by which the answer must be ready, ms since the epoch. */
  deadline: number;
};

/** Half of the width of a bucket of the histograms, whose limits are 2 % apart. */
const ROLLUP_RELATIVE_ERROR = 0.01;

/** Aggregates events, from rollups where these suffice. Returns the answer as JSON text. */
export function createAggregate(deps: { reader: AggregateReader; clock: Clock }) {
  /** @throws DatabaseError and RequestError `too_many_queries` from the reader */
  return async function aggregate({ principal, deadline, ...asked }: AggregateRequest): Promise<string> {
    const started = deps.clock().getTime();
    const { tenant, types, sources } = principal;
    const scan = { ...asked, tenant, allowed: { types, sources } };
    const rolledUp = fitsRollups(scan) ? await deps.reader.fromRollups(scan, deadline) : undefined;
    const found: Aggregate & Partial<ScannedAggregate> = rolledUp ?? (await deps.reader.fromEvents(scan, deadline));
    return JSON.stringify({
      rows: found.rows.map((row) => toMembers(row, asked)),
      metadata: {
        from: rolledUp === undefined ? "rows" : "rollup",
        complete: found.reached >= Date.parse(asked.to),
        reached: new Date(found.reached).toISOString(),
        truncated: found.rows.length < found.whole,
        rows: found.whole,
        rowLimit: AGGREGATE_MAX_ROWS,
        ...(found.droppedBefore !== undefined && { droppedBefore: new Date(found.droppedBefore).toISOString() }),
        ...(found.scanned !== undefined && { scanned: { rows: found.scanned } }),
        percentileError: rolledUp === undefined ? 0 : ROLLUP_RELATIVE_ERROR,
        queryMs: deps.clock().getTime() - started,
      },
    });
  };
}

/** The row of an answer: its bucket, the values of its fields, and its measures. */
function toMembers({ bucket, groups, measured }: AggregateRow, { every, fieldNames, measureNames }: AggregateAsked) {
  const values = parseLossless(groups).lossless as unknown[];
  return {
    ...(every !== undefined && { bucket }),
    ...Object.fromEntries(fieldNames.map((name, i) => [name, values[i]])),
    ...Object.fromEntries(measureNames.map((name, i) => [name, measured[i]])),
  };
}
