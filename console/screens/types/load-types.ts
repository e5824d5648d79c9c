import { call } from "../../api/client.ts";
import type { Buckets, Range } from "../../parts/range.ts";
import { bucketsOf } from "../../parts/range.ts";
import { type TypeCount, type TypeRow, typeRows, volumes } from "./summary.ts";

type Aggregate = { rows: readonly TypeCount[]; metadata: { complete: boolean; truncated: boolean } };
type Catalog = { types: readonly { type: string; versions: readonly { dataschema?: string }[] }[] };

const [MINUTE_MS, DAY_MS] = [60_000, 86_400_000];

/** So far back a type counts as seen before. */
const EARLIER_DAYS = 30;

/** Rows of one answer, below the API's limit, so that sparklines are whole. */
const MAX_ROWS = 4_000;

/** Types of one request for sparklines: a filter has so many items in a list. */
const MAX_TYPES = 50;

export type TypeList = { rows: readonly TypeRow[]; buckets: Buckets; isWhole: boolean };

/** The types of a range. Counts come from rollups, so no event is read. */
export async function loadTypes(range: Range, signal: AbortSignal): Promise<TypeList> {
  const buckets = bucketsOf(range, 100);
  const [found, before, catalog] = [
    await count({ from: buckets.from, to: buckets.to }, signal),
    await count(earlierThanToday(), signal, false),
    await loadCatalog(signal),
  ];
  // Where nothing came earlier, the installation is new and not its types.
  const isKnown = before.metadata.complete && !before.metadata.truncated && before.rows.length > 0;
  return {
    buckets,
    isWhole: found.metadata.complete && !found.metadata.truncated,
    rows: typeRows(found.rows, {
      catalog: new Map(catalog.types.map(({ type, versions }) => [type, versions.length])),
      earlier: isKnown ? new Set(before.rows.map(({ type }) => type)) : undefined,
    }),
  };
}

/** The volumes of types over time; asked for those that are seen, in as many requests as needed. */
export async function loadVolumes(
  types: readonly string[],
  buckets: Buckets,
  signal: AbortSignal,
): Promise<Map<string, number[]>> {
  const length = (Date.parse(buckets.to) - Date.parse(buckets.from)) / buckets.ms;
  const size = Math.max(1, Math.min(MAX_TYPES, Math.floor(MAX_ROWS / length)));
  const found = new Map<string, number[]>();
  for (let first = 0; first < types.length; first += size) {
    const some = types.slice(first, first + size);
    const filter = { any: some.map((type) => ({ exact: { type } })) };
    const { from, to, every } = buckets;
    const { rows } = await count({ filter, from, to, every }, signal, false);
    for (const [type, values] of volumes(rows, buckets)) found.set(type, values);
  }
  return found;
}

export async function loadCatalog(signal: AbortSignal): Promise<Catalog> {
  return (await call<Catalog>("GET", "schemas", { signal, record: false })).body;
}

async function count(body: Record<string, unknown>, signal: AbortSignal, record = true): Promise<Aggregate> {
  const answer = await call<Aggregate>("POST", "events/aggregate", {
    body: { ...body, groupBy: ["type"] },
    signal,
    record,
  });
  return answer.body;
}

/** The days before the last 24 hours, in whole minutes, of which there are rollups. */
function earlierThanToday(): { from: string; to: string } {
  const to = Math.floor((Date.now() - DAY_MS) / MINUTE_MS) * MINUTE_MS;
  return { from: new Date(to - EARLIER_DAYS * DAY_MS).toISOString(), to: new Date(to).toISOString() };
}
