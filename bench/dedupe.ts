import { randomBytes } from "node:crypto";
import { cpus } from "node:os";
import { type Candidate, candidates } from "./dedupe-candidates.ts";
import { spread } from "./rounds.ts";
import { startBenchDatabase } from "./store/bench-database.ts";

/**
 * `node bench/dedupe.ts` compares ways to store an event once, on its own PostgreSQL, in some two minutes. The candidates
 * alternate statement by statement, in a rotating order. A round's rate is that of its median statement, relative to the
 * first candidate's in the same round, because other work on the machine slows both. Results:
 * docs/decisions/0002-exactly-once-by-a-key-table.md.
 */
const ROUNDS = 7;
const STATEMENTS_PER_ROUND = 7;
const ROWS_PER_STATEMENT = 2_000;
/** Statements before the first round, so that no index fits on a few pages. */
const STATEMENTS_BEFORE = 25;
const DATA_BYTES = 400;
const FIRST_DAY = "2026-11-21T12:00:00Z";
const SECOND_DAY = "2026-11-22T12:00:00Z";

/** Ids in the order of time, as Sluice and many clients make them, or random ids. */
type Ids = "ordered" | "random";
/** A candidate with two figures per round: its rate relative to the first candidate's, and its WAL per row. */
type Contender = Candidate & { rates: number[]; walBytes: number[] };

const bench = await startBenchDatabase();
const { client } = bench;
let serial = 0;
try {
  console.log(`PostgreSQL ${await value("show server_version")}, Node ${process.version}, ${cpus().length} cores`);
  for (const ids of ["ordered", "random"] as const) await compare(ids);
} finally {
  await bench.remove();
}

async function compare(ids: Ids): Promise<void> {
  const contenders = candidates.map((each): Contender => ({ ...each, rates: [], walBytes: [] }));
  for (const contender of contenders) {
    await use(contender);
    await client.query(contender.tables);
    for (let i = 0; i < STATEMENTS_BEFORE; i++) await store(contender, makeBatch(ids));
  }
  for (let round = 0; round < ROUNDS; round++) await runRound(ids, contenders);
  console.log(`\nIds ${ids}, ${DATA_BYTES} bytes of data:\n`);
  console.log("| | rows/s of (a) | WAL a row | on disk a row | a copy on another day | drop a day |");
  console.log("|---|---|---|---|---|---|");
  for (const contender of contenders) console.log(`| ${(await figuresOf(contender)).join(" | ")} |`);
  for (const { label } of contenders) await client.query(`drop schema ${label} cascade`);
}

async function runRound(ids: Ids, contenders: Contender[]): Promise<void> {
  const statements = contenders.map((contender) => ({ contender, milliseconds: [] as number[], wal: [] as number[] }));
  for (let statement = 0; statement < STATEMENTS_PER_ROUND; statement++) {
    const first = statement % statements.length;
    for (const { contender, milliseconds, wal } of [...statements.slice(first), ...statements.slice(0, first)]) {
      const batch = makeBatch(ids);
      await use(contender);
      const before = await value("select pg_current_wal_lsn()");
      const started = performance.now();
      await store(contender, batch);
      milliseconds.push(performance.now() - started);
      wal.push(Number(await value("select pg_current_wal_lsn() - $1", [before])) / ROWS_PER_STATEMENT);
    }
  }
  const [reference] = statements.map(({ milliseconds }) => spread(milliseconds).median);
  for (const { contender, milliseconds, wal } of statements) {
    contender.rates.push((reference ?? 0) / spread(milliseconds).median);
    contender.walBytes.push(spread(wal).median);
  }
}

async function figuresOf(contender: Contender): Promise<string[]> {
  const { label, name, rates, walBytes } = contender;
  await use(contender);
  const { median, min, max } = spread(rates);
  const [low, middle, high] = [min, median, max].map((each) => each.toFixed(2));
  const onDisk = await value(
    `select sum(pg_total_relation_size(oid)) / (select count(*) from events)
     from pg_class where relnamespace = $1::regnamespace and relkind = 'r'`,
    [label],
  );
  return [
    `(${label}) ${name}`,
    `${middle} (${low} to ${high})`,
    `${spread(walBytes).median.toFixed(0)} B`,
    `${Number(onDisk).toFixed(0)} B`,
    await copyOnAnotherDay(contender),
    await dropOfADay(contender),
  ];
}

/** Stores one event twice, received on two days. */
async function copyOnAnotherDay(candidate: Candidate): Promise<string> {
  const copies = [FIRST_DAY, SECOND_DAY].map((day) => JSON.stringify([makeEvent("copy", day)]));
  for (const copy of copies) await client.query(candidate.store, [copy]);
  return (await value("select count(*) from events where id = 'copy'")) === "1" ? "stored once" : "**stored twice**";
}

/** Drops the first day's partition, and counts the remaining events of that day. */
async function dropOfADay({ firstDay }: Candidate): Promise<string> {
  if (firstDay === undefined) return "**no**";
  await client.query(`drop table ${firstDay}`);
  const left = await value("select count(*) from events where received_at < '2026-11-22 00:00Z'");
  return left === "0" ? "yes" : "**no**";
}

async function use({ label }: Candidate): Promise<void> {
  await client.query(`create schema if not exists ${label}; set search_path to ${label}`);
}

/** @throws Error unless every event was new */
async function store(candidate: Candidate, batch: string): Promise<void> {
  const stored = await value(candidate.store, [batch]);
  if (stored !== String(ROWS_PER_STATEMENT)) throw new Error(`(${candidate.label}) stored ${stored} events of a batch`);
}

function makeBatch(ids: Ids): string {
  return JSON.stringify(Array.from({ length: ROWS_PER_STATEMENT }, () => makeEvent(makeId(ids), FIRST_DAY)));
}

function makeEvent(id: string, receivedAt: string): object {
  return {
    tenant: "default",
    id,
    source: "https://shop.example.com/orders",
    type: "com.example.order.placed",
    time: receivedAt,
    received_at: receivedAt,
    data: [{ order: id, note: "x".repeat(DATA_BYTES - id.length - 21) }],
  };
}

/** Makes an id with the length of a UUID. */
function makeId(ids: Ids): string {
  serial += 1;
  const random = randomBytes(16).toString("hex");
  const head = ids === "ordered" ? serial.toString(16).padStart(12, "0") : random.slice(0, 12);
  return [head.slice(0, 8), head.slice(8), random.slice(12, 16), random.slice(16, 20), random.slice(20)].join("-");
}

/** Reads the first column of the first row as text. */
async function value(sql: string, parameters: unknown[] = []): Promise<string> {
  const { rows } = await client.query<[unknown]>({ text: sql, values: parameters, rowMode: "array" });
  return String(rows[0]?.[0]);
}
