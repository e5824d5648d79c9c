import { LIST_DEFAULT_EVENTS, LIST_MAX_EVENTS } from "../../functions/core/list-limits.ts";
import { TENANT_MAX_QUERIES } from "../../functions/core/query-load-limits.ts";
import type { Benchmark, BenchOptions, BenchReport, Check } from "../benchmark.ts";
import { figure } from "../plot.ts";
import { measureAlternately, ratios, type Series, spread } from "../rounds.ts";
import { type BenchDatabase, startBenchDatabase } from "../store/bench-database.ts";
import { aggregateContenders } from "./aggregate-figures.ts";
import { ALONE, BESIDE, measureBesideScans, SCANS } from "./beside-scans.ts";
import { DAYS, loadRows } from "./load-rows.ts";
import { BY_HAND, lookupContenders, OURS, pageContenders } from "./page-figures.ts";
import { walkWithoutMatches } from "./walk-without-matches.ts";

/** B13 to B17. */
export const queryBenchmark: Benchmark = {
  name: "query",
  title: "Finding events",
  about:
    `Events of some 330 B in ${DAYS} partitions of a day, of 1 tenant and of 100, over one connection to PostgreSQL without the ` +
    "Data API in between. A tenant sends four types, a thousand events a minute while it sends; where rows are thin, evenly " +
    "over the day, so that a minute has about one event. An aggregate of days reads the rollups of days in both cases. A page by hand is one select " +
    "of the same events, as the owner, whom no policy binds, over the same connection protocol, indexes and event_json, with the " +
    "same limit. It has no cursor, horizon, clock, slot or look beyond its end, which the page of Sluice has. The page by a " +
    `declared index is one customer's orders of 30 days. The ${SCANS} scans come from one tenant, by clients that heed ` +
    `Retry-After; it has ${TENANT_MAX_QUERIES} query slots, as deployed, and the clients share the machine's cores with the stack.`,
  run: measureQuery,
};

const ROWS = 10_000_000;
const QUICK_ROWS = 200_000;
/** Rows in the whole stack: each scan of a page ends by its time. */
const STACK_ROWS = 1_000_000;
const SHAPES = [
  { tenants: 1, density: "dense" },
  { tenants: 100, density: "dense" },
  { tenants: 100, density: "thin" },
] as const;
const SMALL_TENANT =
  "a tenant's 111,000 rows take some 0.2 s, and a hundredth of that is the time in which PostgreSQL plans an aggregate of nothing";
/** A walk over all rows takes long and has one figure. */
const MOST_WALKS = 3;
const PAGE_SECONDS = 5;

async function measureQuery(options: BenchOptions): Promise<BenchReport> {
  const rows = options.rows ?? (options.quick ? QUICK_ROWS : ROWS);
  const report: BenchReport = { series: [], checks: [], notes: [] };
  for (const shape of SHAPES) {
    const bench = await startBenchDatabase();
    try {
      await measureTables(bench, shape, rows, options, report);
    } finally {
      await bench.remove();
    }
  }
  const series = await measureBesideScans(options, Math.min(rows, STACK_ROWS));
  report.series.push(series);
  report.checks.push({
    id: "B16",
    what: `202 to readable, p99, beside ${SCANS} scans`,
    against: "the same without scans",
    ratios: ratios(series, BESIDE, ALONE),
    floor: { atMost: 1.1 },
  });
  return report;
}

async function measureTables(
  bench: BenchDatabase,
  { tenants: count, density }: (typeof SHAPES)[number],
  rows: number,
  { rounds, log }: BenchOptions,
  report: BenchReport,
): Promise<void> {
  const add = (series: Series, check: Check) => {
    report.series.push(series);
    report.checks.push(check);
    const medians = series.contenders.map(
      ({ name, figures }) => `${name} ${figure(spread(figures).median)} ${series.unit}`,
    );
    log(`${series.shape}: ${medians.join(", ")}`);
  };
  const tenants = Array.from({ length: count }, (_, number) => `tenant-${number}`);
  const [tenant = ""] = tenants;
  const of = `${rows.toLocaleString("en-US")} ${density === "thin" ? "thin " : ""}rows, ${count === 1 ? "1 tenant" : `${count} tenants`}`;
  const started = performance.now();
  const other = await bench.connect();
  const perDay = await loadRows([bench.client, other], tenants, rows, density);
  await other.end();
  log(`${of}: loaded in ${Math.round((performance.now() - started) / 1_000)} s`);
  const { client, database } = await bench.connectReader();
  try {
    const aggregates = await measureAlternately(
      `aggregate by source and day, ${of}`,
      "ms",
      aggregateContenders(database, tenant, perDay),
      { rounds, warmUps: 1 },
    );
    add(aggregates, {
      id: "B14",
      what: `aggregate from rows, ${of}`,
      against: "from rollups",
      ratios: ratios(aggregates, "from rows", "from rollups"),
      floor: { atLeast: 100 },
      ...(count > 1 && { reached: { bound: 15, because: SMALL_TENANT } }),
    });
    // Pages and scans are the same, however thin the rows are.
    if (density === "thin") return;
    for (const limit of [LIST_DEFAULT_EVENTS, LIST_MAX_EVENTS]) {
      const contenders = pageContenders(bench.client, database, { tenants, limit });
      const pages = await measureAlternately(`page of ${limit}, ${of}`, "ms", contenders, { rounds, warmUps: 2 });
      add(pages, {
        id: "B13",
        what: `(tenant, day, type): ${pages.shape}`,
        against: BY_HAND,
        ratios: ratios(pages, OURS, BY_HAND),
        floor: { atMost: 1.5 },
      });
    }
    const lookups = await measureAlternately(
      `page by a declared index, ${of}`,
      "ms",
      await lookupContenders(bench.client, database, { tenants, limit: LIST_DEFAULT_EVENTS }),
      { rounds, warmUps: 2 },
    );
    add(lookups, {
      id: "B17",
      what: lookups.shape,
      against: BY_HAND,
      ratios: ratios(lookups, OURS, BY_HAND),
      floor: { atMost: 2 },
    });
    const walk = () => walkWithoutMatches(database, tenant, perDay * DAYS);
    const walks = await measureAlternately(`no match, ${of}`, "s", [{ name: "slowest page", round: walk }], {
      rounds: Math.min(rounds, MOST_WALKS),
      warmUps: 0,
    });
    add(walks, {
      id: "B15",
      what: `slowest page without a match, ${of}`,
      against: `${PAGE_SECONDS} s`,
      ratios: (walks.contenders[0]?.figures ?? []).map((seconds) => seconds / PAGE_SECONDS),
      floor: { atMost: 1 },
    });
  } finally {
    await client.end();
  }
}
