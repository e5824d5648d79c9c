import { LIST_DEFAULT_EVENTS } from "../../functions/core/list-limits.ts";
import type { Benchmark, BenchOptions, BenchReport } from "../benchmark.ts";
import { figure } from "../plot.ts";
import { measureAlternately, ratios, spread } from "../rounds.ts";
import { type BenchDatabase, startBenchDatabase } from "../store/bench-database.ts";
import { aggregateContenders } from "./aggregate-figures.ts";
import { ALONE, BESIDE, measureBesideScans, SCANS } from "./beside-scans.ts";
import { DAYS, loadRows } from "./load-rows.ts";
import { pageContenders } from "./page-figures.ts";
import { walkWithoutMatches } from "./walk-without-matches.ts";

/** B13 to B16. */
export const queryBenchmark: Benchmark = {
  name: "query",
  title: "Finding events",
  about:
    `Events of some 330 B in ${DAYS} partitions of a day, of 1 tenant and of 100, over one connection to PostgreSQL without the ` +
    "Data API in between. A tenant sends four types, a thousand events a minute while it sends: rollups are that much fewer " +
    "than rows, and where a minute has a single event of each type and source, they save little.",
  run: measureQuery,
};

const ROWS = 10_000_000;
const QUICK_ROWS = 200_000;
/** Rows in the whole stack: each scan of a page ends by its time. */
const STACK_ROWS = 1_000_000;
const TENANTS = [1, 100];
/** A walk over all rows takes long and has one figure. */
const MOST_WALKS = 3;
const PAGE_SECONDS = 5;

async function measureQuery(options: BenchOptions): Promise<BenchReport> {
  const rows = options.rows ?? (options.quick ? QUICK_ROWS : ROWS);
  const report: BenchReport = { series: [], checks: [], notes: [] };
  for (const tenants of TENANTS) {
    const bench = await startBenchDatabase();
    try {
      await measureTables(bench, tenants, rows, options, report);
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
  count: number,
  rows: number,
  { rounds, log }: BenchOptions,
  { series, checks }: BenchReport,
): Promise<void> {
  const tenants = Array.from({ length: count }, (_, number) => `tenant-${number}`);
  const [tenant = ""] = tenants;
  const of = `${rows.toLocaleString("en-US")} rows, ${count === 1 ? "1 tenant" : `${count} tenants`}`;
  const started = performance.now();
  const other = await bench.connect();
  const perDay = await loadRows([bench.client, other], tenants, rows);
  await other.end();
  log(`${of}: loaded in ${Math.round((performance.now() - started) / 1_000)} s`);
  const { client, database } = await bench.connectReader();
  try {
    const pages = await measureAlternately(
      `page of ${LIST_DEFAULT_EVENTS}, ${of}`,
      "ms",
      pageContenders(bench.client, database, tenants),
      { rounds, warmUps: 2 },
    );
    const aggregates = await measureAlternately(
      `aggregate by source and day, ${of}`,
      "ms",
      aggregateContenders(database, tenant, perDay),
      { rounds, warmUps: 1 },
    );
    const walk = () => walkWithoutMatches(database, tenant, perDay * DAYS);
    const walks = await measureAlternately(`no match, ${of}`, "s", [{ name: "slowest page", round: walk }], {
      rounds: Math.min(rounds, MOST_WALKS),
      warmUps: 0,
    });
    series.push(pages, aggregates, walks);
    for (const { shape, unit, contenders } of [pages, aggregates, walks]) {
      const medians = contenders.map(({ name, figures }) => `${name} ${figure(spread(figures).median)} ${unit}`);
      log(`${shape}: ${medians.join(", ")}`);
    }
    checks.push(
      {
        id: "B13",
        what: `page of (tenant, day, type), ${of}`,
        against: "SQL by hand, as the owner",
        ratios: ratios(pages, "list_events", "SQL by hand, as the owner"),
        floor: { atMost: 1.5 },
      },
      {
        id: "B14",
        what: `aggregate from rows, ${of}`,
        against: "from rollups",
        ratios: ratios(aggregates, "from rows", "from rollups"),
        floor: { atLeast: 100 },
      },
      {
        id: "B15",
        what: `slowest page without a match, ${of}`,
        against: `${PAGE_SECONDS} s`,
        ratios: (walks.contenders[0]?.figures ?? []).map((seconds) => seconds / PAGE_SECONDS),
        floor: { atMost: 1 },
      },
    );
  } finally {
    await client.end();
  }
}
