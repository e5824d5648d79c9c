import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createEventReader } from "../../functions/adapters/data-api/event-reader.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { DATABASE_USERS } from "../../functions/core/database-roles.ts";
import type { SqlDatabase } from "../../functions/core/ports.ts";
import { soon, startDatabase, type TestDatabase } from "../support/database.ts";
import { storable, storables } from "../support/event-samples.ts";
import { untilListed } from "../support/lists.ts";

/** The functions of 0002_filters.sql. */
const FILTER_FUNCTIONS = [
  "filter_address",
  "filter_elements",
  "filter_ends_with",
  "filter_extension",
  "filter_fold_case",
  "filter_number",
  "filter_objects",
  "filter_scalars",
  "filter_text",
  "filter_time",
];

/** Everything that a role other than the owner may do, apart from the schema itself. */
const GRANTS = {
  tables: [
    { name: "dead_letter_replays", grantee: "sluice_reader", privilege: "SELECT" },
    { name: "dead_letters", grantee: "sluice_reader", privilege: "SELECT" },
    { name: "delta_parts", grantee: "sluice_reader", privilege: "SELECT" },
    { name: "event_ends", grantee: "sluice_reader", privilege: "SELECT" },
    { name: "event_fields", grantee: "sluice_reader", privilege: "SELECT" },
    { name: "event_keys", grantee: "sluice_reader", privilege: "SELECT" },
    { name: "event_removals", grantee: "sluice_reader", privilege: "SELECT" },
    { name: "event_transactions", grantee: "sluice_reader", privilege: "SELECT" },
    { name: "events", grantee: "sluice_reader", privilege: "SELECT" },
    { name: "incarnation", grantee: "sluice_reader", privilege: "SELECT" },
    { name: "indexed_fields", grantee: "sluice_reader", privilege: "SELECT" },
    { name: "measures", grantee: "sluice_reader", privilege: "SELECT" },
    { name: "replay_edits", grantee: "sluice_reader", privilege: "SELECT" },
    { name: "replays", grantee: "sluice_reader", privilege: "SELECT" },
    { name: "retention_classes", grantee: "sluice_reader", privilege: "SELECT" },
    { name: "rollup_deltas", grantee: "sluice_reader", privilege: "SELECT" },
    { name: "rollups", grantee: "sluice_reader", privilege: "SELECT" },
  ],
  functions: [
    { name: "add_subscription_secret", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "aggregate_events", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "aggregate_rollups", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "bucket_start", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "bucket_value", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "cancel_redelivery", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "cancel_replay", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "change_subscription", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "claim_deliveries", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "count_open_dead_letters", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "count_subscriptions", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "count_unfinished_replays", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "create_subscription", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "cut_text", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "dead_letter_condition", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "dead_letter_json", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "delete_notices", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "dispatch_subscriptions", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "end_replay", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "ensure_waiting_days", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "event_at", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "event_hash", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "event_horizon", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "event_horizon_age", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "event_json", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "field_hash", grantee: "sluice_reader", privilege: "EXECUTE" },
    ...FILTER_FUNCTIONS.map((name) => ({ name, grantee: "sluice_reader", privilege: "EXECUTE" })),
    { name: "find_dead_letter", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "find_editable", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "find_lookup", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "first_midnight", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "forget_job_start", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "free_deliveries", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "group_dead_letters", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "group_failed_deliveries", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "group_value", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "hold_replay", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "keep_job_start", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "list_allows", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "list_attempts", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "list_dead_letters", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "list_deliveries", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "list_events", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "list_key", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "list_keyset", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "list_redeliveries", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "list_replays", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "list_source", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "list_subscriptions", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "mark_sent", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "matches_pattern", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "microseconds", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "next_delivery_due", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "next_redelivery", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "pattern_beginnings", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "plan_redelivery", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "plan_replay", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "plan_wake", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "read_dead_letter", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "read_due_subscriptions", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "read_event", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "read_feed", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "read_notices", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "read_redelivery", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "read_replay", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "read_subscription", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "read_unsent", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "record_dead_letters", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "release_deliveries", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "release_replay", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "remove_subscription", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "rollup_ranges", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "scan_events", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "seek_subscription", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "set_subscription_state", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "settle_and_claim", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "settle_deliveries", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "settle_replay", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "start_redelivery", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "start_replay", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "store_batch", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "subscription_ledger", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "take_dead_letters", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "take_failed_deliveries", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "take_ledger", grantee: "sluice_writer", privilege: "EXECUTE" },
    { name: "take_query_slot", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "whole_patterns", grantee: "sluice_reader", privilege: "EXECUTE" },
    { name: "window_state", grantee: "sluice_reader", privilege: "EXECUTE" },
  ],
};

let db: TestDatabase;
beforeAll(async () => {
  db = await startDatabase();
  await db.migrate();
});
afterAll(() => db.remove());
beforeEach(() => db.empty("events", "event_keys", "rollup_deltas"));

const store = (events = [storable()]) => createEventStore(db.writer).store(events, soon());
const refusalOf = (database: SqlDatabase, sql: string) =>
  database.execute(sql, {}, soon()).then(
    () => "allowed",
    ({ sqlState }: { sqlState?: string }) => sqlState,
  );
const DENIED = "42501";
const READ_ONLY = "25006";

/** Statements of the schema's tables, partitions among them. */
const TABLES = [
  "events",
  "event_keys",
  "rollups",
  "rollup_deltas",
  "event_transactions",
  "arrivals",
  "arrival_totals",
  "arrival_deltas",
  "event_ends",
  "event_removals",
  "holds",
  "retention_classes",
  "retention_days",
  "retention_run",
  "event_fields",
  "dead_letters",
  "replays",
  "events_keep_20261121",
  "event_fields_keep_20261121",
  "event_keys_3",
  "replays",
  "job_starts",
  "subscriptions",
  "subscription_notices",
  "subscription_secrets",
  "deliveries",
  "delivery_attempts",
  "delivery_attempts_default",
  "redeliveries",
  "planned_wake",
  "schema_migrations",
];
/** A column of those that have no tenant. */
const COLUMNS: Record<string, string> = {
  retention_classes: "name",
  retention_days: "state",
  retention_run: "lease_by",
  schema_migrations: "name",
  subscription_secrets: "sealed",
  deliveries: "state",
  delivery_attempts: "status",
  delivery_attempts_default: "status",
  redeliveries: "state",
  planned_wake: "at",
};
const WRITES = (table: string) => [
  `insert into ${table} select * from ${table}`,
  `update ${table} set ${COLUMNS[table] ?? "tenant"} = default`,
  `delete from ${table}`,
  `truncate ${table}`,
  `drop table ${table}`,
  `alter table ${table} disable row level security`,
];
const CREATIONS = [
  "create table mine (id integer)",
  "create temporary table events (id integer)",
  "create function mine() returns integer language sql as 'select 1'",
  "create policy mine on events using (true)",
  "create role mine",
  "alter role sluice_reader_1 bypassrls",
  "grant select on events_keep_20261121 to sluice_reader",
];
const OWNERS_FUNCTIONS = [
  "select insert_new_events('{}', '{}', null)",
  "select find_conflicts('[]')",
  "select ensure_event_partitions('2026-11-21', '2026-11-21')",
  "select append_deltas(null)",
  "select number_parts(null)",
  "select insert_events('{}', '{}', null)",
  "select * from store_blocks('{}', '{}')",
  "select insert_all_new('{}', '{}')",
  "select read_store_rules()",
  "select block_json('{}', '{}')",
  "select count_new_arrivals('{}')",
  "select count_mixed_arrivals('{}', '{}', '{}', '{}')",
  "select lock_arrivals('{}')",
  "select count_numbers('{}')",
  "select merge_arrivals()",
  "select lock_ledger()",
  "select count(*) from all_arrivals",
  "select count(*) from fresh_arrivals",
  "select forget_producers(now())",
  "select declare_fields('measures', '[]')",
  "select field_hashes('{}', array['a'])",
  "select compact_rollups(now(), 1)",
  "select * from check_rollups(now(), now())",
  "select rebuild_rollups(now(), now())",
  "insert into measures values ('t', '/v', array['v'], now())",
  "select set_role_password('sluice_reader_1', 'x')",
  "select forget_transactions(0, '2026-11-21')",
  "select make_event_day(0, '2026-11-21')",
  "select declare_retention(0, '{}')",
  "select take_retention('w', 1)",
  "select note_detached(0, '2026-11-21', false)",
  "select delete_day_keys(0, '2026-11-21', 1)",
  "select drop_day(0, '2026-11-21', false)",
  "select move_held(0, '2026-11-21', 't', 'true', '{}', 1, false)",
  "select drop_released('t', null, '{}', 1)",
  "select * from active_holds()",
  "select * from read_retention('2026-11-21')",
  "select ensure_incarnation()",
  "select insert_dead_letters('{}', '{}', true, true)",
  "select delete_closed_dead_letters(now(), 1)",
  "select apply_edit('dl', '{}')",
  "select close_circuit('sub')",
  "select unblock_subjects('sub', '{}')",
  "select end_deliveries('{}', 'skipped')",
  "select count_redelivered('{}', '{}')",
  "select waiting_subscriptions()",
  "select claimed_bodies('{}', '{}', '{}', '{}')",
  "select prune_deliveries(now(), 1)",
  "select delete_orphaned_deliveries(1)",
  "select ensure_attempt_partitions('2026-11-21', '2026-11-21')",
  "select drop_attempt_partition('2026-11-21')",
  "select nextval('delivery_attempt_numbers')",
];

describe("the writer", () => {
  it("the writer stores events, of several tenants in one call", async () => {
    const outcome = await store([storable({}, { tenant: "a" }), storable({}, { tenant: "b" })]);

    expect(outcome).toEqual({ stored: 2, conflicts: [], erased: 0, refused: [] });
  });

  it.each(TABLES)("the writer can neither read nor change %s", async (table) => {
    await store();

    for (const sql of [`select 1 from ${table}`, `select count(*) from ${table}`, ...WRITES(table)])
      expect(await refusalOf(db.writer, sql), sql).toBe(DENIED);
  });

  it.each([...CREATIONS, ...OWNERS_FUNCTIONS, "select * from read_event('default', '1', null, 20, 15000)"])(
    "the writer is refused: %s",
    async (sql) => {
      expect(await refusalOf(db.writer, sql)).toBe(DENIED);
    },
  );

  it("the writer has no other tables in its path than those of the schema", async () => {
    await db.ask(
      "create schema elsewhere; create table elsewhere.events (like events); create table elsewhere.event_keys (like event_keys)",
    );
    await db.ask(
      "grant usage on schema elsewhere to sluice_writer; grant all on all tables in schema elsewhere to sluice_writer",
    );
    const session = await db.connectAs("writer");
    try {
      await session.query("set search_path = elsewhere, public");
      const line = JSON.stringify({ ...storable().event, tenant: "t", received_at: "2026-11-21T09:30:00Z" });

      const { rows } = await session.query("select outcome, position from store_batch($1)", [[line]]);

      expect(rows).toEqual([{ outcome: "stored", position: 1 }]);
      expect(await db.ask("select tenant from public.events")).toEqual([{ tenant: "t" }]);
      expect(await db.ask("select tenant from elsewhere.events")).toEqual([]);
    } finally {
      await session.end();
      await db.ask("drop schema elsewhere cascade");
    }
  });
});

describe("the reader", () => {
  let session: Client;
  beforeAll(async () => {
    session = await db.connectAs("reader");
  });
  afterAll(() => session.end());
  const rows = async (sql: string, values: unknown[] = []) =>
    (await session.query<Record<string, unknown>>(sql, values)).rows;
  const read = (tenant: string, id: string) =>
    rows("select found_source, piece from read_event($1, $2, null, 20, 15000)", [tenant, id]);

  it.each(["events", "event_keys", "rollup_deltas", "delta_parts"])(
    "the reader sees no row of %s where no tenant is set, and no error",
    async (table) => {
      await store(storables(3, "e"));

      expect(await rows(`select count(*)::int as rows from ${table}`)).toEqual([{ rows: 0 }]);
      await session.query("set app.tenant = ''");
      expect(await rows(`select count(*)::int as rows from ${table}`)).toEqual([{ rows: 0 }]);
      await session.query("reset app.tenant");
    },
  );

  it.each(["events", "event_keys", "rollup_deltas", "delta_parts"])(
    "the reader sees the rows of %s of the tenant that is set, and no others",
    async (table) => {
      await store([...storables(2, "e"), storable({}, { tenant: "b" })]);

      await session.query("begin");
      await session.query("select set_config('app.tenant', 'b', true)");
      expect(await rows(`select tenant from ${table}`)).toEqual([{ tenant: "b" }]);
      await session.query("rollback");
    },
  );

  it("the reader finds an event only with its own tenant", async () => {
    await store([storable({ id: "e" }, { tenant: "a" })]);

    expect(await read("a", "e")).toMatchObject([{ found_source: "/s" }]);
    for (const tenant of ["b", "", "A", "a ", "%", "a' or true --"])
      expect(await read(tenant, "e"), tenant).toEqual([]);
    expect(await rows("select * from read_event(null, 'e', null, 20, 15000)")).toEqual([]);
  });

  it("the reader's session keeps nothing of the tenant of a call", async () => {
    await store([storable({ id: "e" }, { tenant: "a" })]);

    expect(await read("a", "e")).toHaveLength(1);

    expect(await rows("select coalesce(current_setting('app.tenant', true), '') as tenant")).toEqual([{ tenant: "" }]);
    expect(await rows("select count(*)::int as rows from events")).toEqual([{ rows: 0 }]);
  });

  it("the reader keeps nothing of the tenant of a call that fails", async () => {
    await store([storable({ id: "e" }, { tenant: "a" })]);

    await expect(rows("select * from read_event('a', 'e', null, 20, 0)")).rejects.toMatchObject({ code: "22012" });

    expect(await rows("select count(*)::int as rows from events")).toEqual([{ rows: 0 }]);
  });

  it("the reader uses indexes, and scans no table, behind the policies", async () => {
    await store(storables(2_000, "e", { data: "x".repeat(100) }));
    await store(Array.from({ length: 2_000 }, (_, i) => storable({ id: `e${i}` }, { tenant: "b" })));
    await db.ask("analyze events, event_keys");

    // A session of its own: statistics of earlier calls would be among them. From the sixth call on, PostgreSQL may use a
    // plan that knows no values.
    const fresh = await db.connectAs("reader");
    try {
      await fresh.query("begin");
      for (let call = 0; call < 8; call += 1) {
        const found = await fresh.query("select * from read_event('b', 'e1500', null, 20, 15000)");
        expect(found.rows).toHaveLength(1);
      }
      const { rows: scans } = await fresh.query(
        "select relname, seq_scan::int, idx_scan::int from pg_stat_xact_user_tables where seq_scan > 0 or idx_scan > 0 order by 1",
      );
      expect(scans).toEqual([
        { relname: expect.stringMatching(/^event_keys_\d$/), seq_scan: 0, idx_scan: 8 },
        { relname: "events_keep_20261121", seq_scan: 0, idx_scan: 8 },
      ]);
    } finally {
      await fresh.end();
    }
  });

  it.each(TABLES)("the reader changes nothing in %s", async (table) => {
    for (const sql of WRITES(table)) {
      expect(await refusalOf(db.reader, sql), sql).toBe(READ_ONLY);
      expect(await refusalOfWriting(sql), sql).toBe(DENIED);
    }
  });

  /** The refusal of a statement in a transaction that the reader has made one that may write. */
  async function refusalOfWriting(sql: string): Promise<string | undefined> {
    await session.query("begin read write");
    try {
      await session.query(sql);
      return "allowed";
    } catch (error) {
      return (error as { code?: string }).code;
    } finally {
      await session.query("rollback");
    }
  }

  it("the reader's statements change nothing and end after eight seconds, without a setting of the caller's", async () => {
    const settings =
      "select name, setting from pg_settings where name in ('default_transaction_read_only', 'statement_timeout') order by 1";

    for (const run of [rows(settings), db.reader.execute(settings, {}, soon()).then((result) => result.rows)])
      expect((await run).map((row) => Object.values(row))).toEqual([
        ["default_transaction_read_only", "on"],
        ["statement_timeout", "8000"],
      ]);
    expect(await db.ask("show statement_timeout")).toEqual([{ statement_timeout: "0" }]);
  });

  it.each(["events_keep_20261121", "event_keys_3", "schema_migrations"])(
    "the reader is refused %s, to which no policy applies",
    async (table) => {
      expect(await refusalOf(db.reader, `select 1 from ${table}`)).toBe(DENIED);
    },
  );

  it("the reader sees no row of a partition on which somebody gave it a right", async () => {
    await store();
    await db.ask("grant select on all tables in schema public to sluice_reader");
    try {
      expect(await rows("select count(*)::int as rows from events_keep_20261121")).toEqual([{ rows: 0 }]);
      for (let number = 0; number < 8; number += 1)
        expect(await rows(`select count(*)::int as rows from event_keys_${number}`)).toEqual([{ rows: 0 }]);
    } finally {
      await db.ask("revoke select on all tables in schema public from sluice_reader");
      await db.ask(
        "grant select on events, event_keys, incarnation, event_transactions, event_ends, measures, rollups, rollup_deltas, delta_parts, event_fields, indexed_fields, dead_letters, replays, replay_edits, dead_letter_replays, event_removals, retention_classes to sluice_reader",
      );
    }
  });

  it.each([...CREATIONS, ...OWNERS_FUNCTIONS, "select * from store_batch(array['{}'])"])(
    "the reader is refused: %s",
    async (sql) => {
      expect(await refusalOfWriting(sql)).toBe(DENIED);
      expect([DENIED, READ_ONLY]).toContain(await refusalOf(db.reader, sql));
    },
  );

  it("the reader lists events only of its own tenant, and by indexes behind the policies", async () => {
    await store(storables(2_000, "e", { data: "x".repeat(100) }));
    await store(Array.from({ length: 2_000 }, (_, i) => storable({ id: `e${i}` }, { tenant: "b" })));
    await db.ask("analyze events, event_keys");
    await untilListed(db);
    const list = (tenant: string, ids: string | null) =>
      `select * from list_events(${literal(tenant)}, '(e.data @> ''{}'') is not true', '{}', null, null, ${ids}, null, null, true, null, null, null, null, null, 100, 900000, 15000, 'exact', 10000, 3500)`;

    const fresh = await db.connectAs("reader");
    try {
      await fresh.query("begin");
      expect((await fresh.query(list("b", null))).rows).toHaveLength(101);
      expect((await fresh.query(list("b", "'{e1500}'"))).rows).toHaveLength(2);
      const { rows: scans } = await fresh.query<{ relname: string; seq_scan: number }>(
        "select relname, seq_scan::int from pg_stat_xact_user_tables where seq_scan > 0 or idx_scan > 0 order by 1",
      );
      // The tables of one row and of six are scanned.
      expect(scans.filter(({ seq_scan }) => seq_scan > 0).map(({ relname }) => relname)).toEqual([
        "incarnation",
        "retention_classes",
      ]);
      expect(scans.map(({ relname }) => relname)).toContain("events_keep_20261121");
      await fresh.query("commit");
      for (const tenant of ["", "c", "B", "b' or true --"])
        expect((await fresh.query(list(tenant, null))).rows, tenant).toHaveLength(1);
    } finally {
      await fresh.end();
    }
  });

  const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
});

const OF_TENANT = "(tenant = NULLIF(current_setting('app.tenant'::text, true), ''::text))";
const OF_TENANT_OR_ALL = `(${OF_TENANT} OR (current_setting('app.tenant'::text, true) = '*'::text))`;
/** The condition of each table's policy: the tenant's own rows, or for dead letters those of all. */
const POLICIES = {
  dead_letter_replays:
    "(EXISTS ( SELECT\n   FROM dead_letters\n  WHERE (dead_letters.id = dead_letter_replays.dead_letter_id)))",
  dead_letters: OF_TENANT_OR_ALL,
  event_ends: OF_TENANT,
  event_fields: OF_TENANT,
  event_keys: OF_TENANT,
  event_removals: OF_TENANT,
  event_transactions: OF_TENANT,
  events: OF_TENANT,
  replay_edits: "(EXISTS ( SELECT\n   FROM replays\n  WHERE (replays.id = replay_edits.replay_id)))",
  replays: OF_TENANT_OR_ALL,
  rollup_deltas: OF_TENANT,
  rollups: OF_TENANT,
};

describe("the catalog", () => {
  /** Rights of others than the owner; the owner is the one of the database. */
  const grantsOn = (objects: string, kind: string, acl: string, owner: string) =>
    db.ask(`
      select name, coalesce(nullif(grantee, 0)::regrole::text, 'public') as grantee, privilege_type as privilege
      from ${objects}, lateral aclexplode(coalesce(${acl}, acldefault('${kind}', ${owner})))
      where grantee <> ${owner} order by 1, 2, 3`);

  it("the catalog gives roles other than the owner exactly these rights on tables, and none on a partition", async () => {
    const tables =
      "(select relname as name, * from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f', 'S'))";

    expect(await grantsOn(`${tables} t`, "r", "relacl", "relowner")).toEqual(GRANTS.tables);
  });

  it("the catalog gives no role a right on a partition that is made later", async () => {
    await db.ask("select ensure_event_partitions('2030-01-01', '2030-01-02')");
    try {
      for (const table of ["events_keep_20300101", "event_fields_keep_20300102"])
        expect(await refusalOf(db.reader, `select 1 from ${table}`)).toBe(DENIED);
      expect(
        await db.ask(
          "select relname from pg_class where relname like 'event%\\_2030%' and relkind = 'r' and (relacl is not null or not relrowsecurity)",
        ),
      ).toEqual([]);
    } finally {
      await db.ask(
        "drop table events_keep_20300101, events_keep_20300102, event_fields_keep_20300101, event_fields_keep_20300102",
      );
    }
  });

  it("the catalog gives no role a right on a single column", async () => {
    expect(
      await db.ask(
        "select attrelid::regclass::text, attname from pg_attribute join pg_class c on c.oid = attrelid where relnamespace = 'public'::regnamespace and attacl is not null",
      ),
    ).toEqual([]);
  });

  it("the catalog gives roles other than the owner exactly these rights on functions", async () => {
    const functions = "(select proname as name, * from pg_proc where pronamespace = 'public'::regnamespace)";

    expect(await grantsOn(`${functions} f`, "f", "proacl", "proowner")).toEqual(GRANTS.functions);
  });

  it("the catalog gives nobody a right on a function that a later migration makes", async () => {
    await db.ask("create function later() returns integer language sql as 'select 1'");
    try {
      for (const role of [db.writer, db.reader]) expect(await refusalOf(role, "select later()")).toBe(DENIED);
    } finally {
      await db.ask("drop function later");
    }
  });

  it("the catalog lets the two roles use the schema, and nobody make anything in it or in a temporary one", async () => {
    const schema = "(select nspname as name, * from pg_namespace where nspname = 'public')";
    const database = "(select 'database' as name, * from pg_database where datname = current_database())";

    expect(await grantsOn(`${schema} s`, "n", "nspacl", "nspowner")).toEqual(
      ["sluice_reader", "sluice_writer"].map((grantee) => ({ name: "public", grantee, privilege: "USAGE" })),
    );
    expect(await grantsOn(`${database} d`, "d", "datacl", "datdba")).toEqual([
      { name: "database", grantee: "public", privilege: "CONNECT" },
    ]);
  });

  it("the catalog has row level security on every table with a tenant, and one policy on each that a role may read", async () => {
    const tables = await db.ask<{ name: string; secured: boolean; policies: number }>(`
      select relname as name, relrowsecurity as secured,
        (select count(*)::int from pg_policy where polrelid = c.oid) as policies
      from pg_class c join pg_attribute a on a.attrelid = c.oid
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and attname = 'tenant' order by 1`);

    expect(tables.length).toBeGreaterThan(40);
    const granted = new Set(GRANTS.tables.map(({ name }) => name));
    for (const { name, secured, policies } of tables)
      expect({ name, secured, policies }).toEqual({ name, secured: true, policies: granted.has(name) ? 1 : 0 });
    expect(
      await db.ask(
        "select tablename, roles::text, cmd, permissive, qual from pg_policies where schemaname = 'public' order by 1",
      ),
    ).toEqual(
      Object.entries(POLICIES).map(([tablename, qual]) => ({
        tablename,
        roles: "{sluice_reader}",
        cmd: "SELECT",
        permissive: "PERMISSIVE",
        qual,
      })),
    );
  });

  it("the catalog has these functions that run as their owner, and a fixed search path for each that a role may call and that reads a table", async () => {
    const functions = await db.ask(`
      select proname as name, prosecdef as as_owner from pg_proc
      where pronamespace = 'public'::regnamespace
        and (prosecdef or 'search_path=pg_catalog, public, pg_temp' = any(proconfig)) order by 1`);

    expect(functions).toEqual([
      { name: "add_subscription_secret", as_owner: true },
      { name: "aggregate_events", as_owner: false },
      { name: "aggregate_rollups", as_owner: false },
      { name: "apply_edit", as_owner: false },
      { name: "cancel_redelivery", as_owner: true },
      { name: "cancel_replay", as_owner: true },
      { name: "change_subscription", as_owner: true },
      { name: "claim_deliveries", as_owner: true },
      { name: "claimed_bodies", as_owner: false },
      { name: "close_circuit", as_owner: false },
      { name: "count_open_dead_letters", as_owner: true },
      { name: "count_redelivered", as_owner: false },
      { name: "count_subscriptions", as_owner: true },
      { name: "count_unfinished_replays", as_owner: true },
      { name: "create_subscription", as_owner: true },
      { name: "cut_text", as_owner: false },
      { name: "day_table", as_owner: false },
      { name: "dead_letter_bounds", as_owner: false },
      { name: "dead_letter_condition", as_owner: false },
      { name: "dead_letter_test", as_owner: false },
      { name: "delete_closed_dead_letters", as_owner: false },
      { name: "delete_notices", as_owner: true },
      { name: "delete_orphaned_deliveries", as_owner: false },
      { name: "delivery_json", as_owner: false },
      { name: "dispatch_subscriptions", as_owner: true },
      { name: "drop_attempt_partition", as_owner: false },
      { name: "end_deliveries", as_owner: false },
      { name: "end_replay", as_owner: true },
      { name: "ensure_attempt_partitions", as_owner: false },
      { name: "ensure_waiting_days", as_owner: true },
      { name: "event_horizon", as_owner: false },
      { name: "event_horizon_age", as_owner: true },
      { name: "failed_delivery_test", as_owner: false },
      { name: "find_dead_letter", as_owner: false },
      { name: "find_editable", as_owner: true },
      { name: "find_lookup", as_owner: false },
      { name: "forget_job_start", as_owner: true },
      { name: "free_deliveries", as_owner: true },
      { name: "group_dead_letters", as_owner: false },
      { name: "group_failed_deliveries", as_owner: true },
      { name: "hold_replay", as_owner: true },
      { name: "insert_dead_letters", as_owner: false },
      { name: "is_bound_condition", as_owner: false },
      { name: "json_texts", as_owner: false },
      { name: "keep_job_start", as_owner: true },
      { name: "list_attempts", as_owner: true },
      { name: "list_dead_letters", as_owner: false },
      { name: "list_deliveries", as_owner: true },
      { name: "list_events", as_owner: false },
      { name: "list_redeliveries", as_owner: true },
      { name: "list_replays", as_owner: true },
      { name: "list_source", as_owner: false },
      { name: "list_subscriptions", as_owner: true },
      { name: "make_event_day", as_owner: false },
      { name: "mark_sent", as_owner: true },
      { name: "next_delivery_due", as_owner: true },
      { name: "next_redelivery", as_owner: true },
      { name: "open_retention_day", as_owner: false },
      { name: "plan_redelivery", as_owner: true },
      { name: "plan_replay", as_owner: true },
      { name: "plan_wake", as_owner: true },
      { name: "prune_deliveries", as_owner: false },
      { name: "read_dead_letter", as_owner: false },
      { name: "read_due_subscriptions", as_owner: true },
      { name: "read_event", as_owner: false },
      { name: "read_feed", as_owner: false },
      { name: "read_notices", as_owner: true },
      { name: "read_redelivery", as_owner: true },
      { name: "read_replay", as_owner: true },
      { name: "read_subscription", as_owner: true },
      { name: "read_unsent", as_owner: true },
      { name: "record_dead_letters", as_owner: true },
      { name: "redelivery_json", as_owner: false },
      { name: "release_deliveries", as_owner: true },
      { name: "release_replay", as_owner: true },
      { name: "remove_subscription", as_owner: true },
      { name: "replay_json", as_owner: false },
      { name: "scan_events", as_owner: false },
      { name: "seek_subscription", as_owner: true },
      { name: "selected_texts", as_owner: false },
      { name: "set_role_password", as_owner: false },
      { name: "set_subscription_state", as_owner: true },
      { name: "settle_and_claim", as_owner: true },
      { name: "settle_deliveries", as_owner: true },
      { name: "settle_replay", as_owner: true },
      { name: "start_redelivery", as_owner: true },
      { name: "start_replay", as_owner: true },
      { name: "store_batch", as_owner: true },
      { name: "subscription_json", as_owner: false },
      { name: "subscription_ledger", as_owner: true },
      { name: "subscription_start", as_owner: false },
      { name: "take_dead_letters", as_owner: true },
      { name: "take_failed_deliveries", as_owner: true },
      { name: "take_ledger", as_owner: true },
      { name: "take_query_slot", as_owner: false },
      { name: "unblock_subjects", as_owner: false },
      { name: "window_state", as_owner: false },
    ]);
  });

  it("the catalog has roles without any attribute, and users with the rights of one role", async () => {
    const groups = Object.keys(DATABASE_USERS).map((role) => `sluice_${role}`);
    const roles = await db.ask(`
      select rolname as name, rolcanlogin as login,
        rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as more
      from pg_roles where rolname like 'sluice\\_%' order by 1`);

    expect(roles).toEqual(
      groups
        .flatMap((name) => [
          { name, login: false, more: false },
          ...[1, 2].map((number) => ({ name: `${name}_${number}`, login: true, more: false })),
        ])
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    );
    expect(
      await db.ask(
        "select member::regrole::text, roleid::regrole::text as role from pg_auth_members where member::regrole::text like 'sluice\\_%' order by 1",
      ),
    ).toEqual(
      groups
        .flatMap((role) => [1, 2].map((number) => ({ member: `${role}_${number}`, role })))
        .toSorted((a, b) => (a.member < b.member ? -1 : 1)),
    );
  });
});

describe("the functions of filters", () => {
  it("the functions of filters use no name of a schema that comes before theirs in the search path", async () => {
    const traps = [
      "create schema elsewhere",
      "create function elsewhere.jsonb_typeof(jsonb) returns text language sql as 'select cast(1 / 0 as text)'",
      "create function elsewhere.filter_elements(jsonb) returns setof jsonb language sql as 'select to_jsonb(1 / 0)'",
      "create function elsewhere.always(text, text) returns boolean language sql as 'select 1 / 0 = 1'",
      "create operator elsewhere.= (leftarg = text, rightarg = text, function = elsewhere.always)",
      "create operator elsewhere.<> (leftarg = text, rightarg = text, function = elsewhere.always)",
      "grant usage on schema elsewhere to sluice_reader",
      "grant execute on all functions in schema elsewhere to sluice_reader",
    ];
    await db.ask(traps.join(";"));
    const session = await db.connectAs("reader");
    try {
      await session.query("set search_path = elsewhere, pg_catalog");

      const { rows } = await session.query(`select
        array(select public.filter_objects('[[{"a":1}],2]')) as objects, array(select public.filter_scalars('[[{"a":1}],"x"]')) as scalars,
        public.filter_text('"x"') as text, public.filter_number('1') as number, public.filter_address('"10.0.0.1"') as address,
        public.filter_fold_case('A') as folded, public.filter_ends_with('ab', 'b') as ends, public.filter_extension('{"a":1}', 'a') as extension,
        public.filter_time(timestamptz '2026-11-21 09:30:00+00', null) as time`);

      expect(rows).toEqual([
        {
          objects: [{ a: 1 }],
          scalars: ["x"],
          text: "x",
          number: "1",
          address: "10.0.0.1",
          folded: "a",
          ends: true,
          extension: "1",
          time: "2026-11-21T09:30:00.000Z",
        },
      ]);
    } finally {
      await session.end();
      await db.ask("drop schema elsewhere cascade");
    }
  });
});

describe("the owner", () => {
  it("the owner is no superuser, as on AWS, and gives a password to the four users alone", async () => {
    const verifier = `SCRAM-SHA-256$4096:${"a".repeat(22)}==$${"b".repeat(43)}=:${"c".repeat(43)}=`;

    expect(await db.ask("select rolsuper, rolbypassrls from pg_roles where rolname = current_user")).toEqual([
      { rolsuper: false, rolbypassrls: false },
    ]);
    for (const user of ["sluice", "postgres", "sluice_writer", "sluice_reader_3", "", null])
      await expect(db.ask("select set_role_password($1, $2)", [user, verifier])).rejects.toMatchObject({
        code: DENIED,
      });
  });

  it.each(["a password", "", null, "md5c9b8e4e5c0a6a5e0d6f7e8a9b0c1d2e3", "SCRAM-SHA-256$4096:x$y:z"])(
    "the owner cannot set a password from %j, which is no verifier, and the error does not quote it",
    async (text) => {
      const error = await db.ask("select set_role_password('sluice_reader_2', $1)", [text]).catch((e: Error) => e);

      expect(error).toMatchObject({
        code: "22023",
        message: expect.stringContaining("takes a SCRAM-SHA-256 verifier"),
      });
    },
  );
});

it("a second database of the server has the same roles, and its own rights", async () => {
  const second = await startDatabase();
  try {
    await second.migrate();
    expect(await createEventStore(second.writer).store([storable({ id: "second" })], soon())).toMatchObject({
      stored: 1,
    });
    expect(
      await createEventReader(second.reader).find({ tenant: "default", id: "second", source: undefined }, soon()),
    ).toMatchObject({
      kind: "found",
    });
  } finally {
    await second.remove();
  }
});
