import { parseFilter } from "../../core/filter/filter.ts";
import { isBoundSql } from "../../core/filter/is-bound-sql.ts";
import { toSql } from "../../core/filter/to-sql.ts";
import { HOLDS_PAGE } from "../../core/hold-limits.ts";
import { parseLossless } from "../../core/lossless-json.ts";
import type { SqlDatabase, SqlValue } from "../../core/ports.ts";
import type { RetentionDays } from "../../core/retention.ts";
import type {
  Attachment,
  DueDay,
  Hold,
  PlannedRetention,
  RetentionPlans,
  RetentionWork,
} from "../../core/retention-work.ts";
import { failpoint } from "../lambda/failpoint.ts";
import { textArray } from "./text-array.ts";

/** The work of retention in PostgreSQL, as the owner; the functions are documented in functions/sql/0011_retention.sql. */
export function createRetentionWork(database: Pick<SqlDatabase, "execute">): RetentionWork & RetentionPlans {
  const first = async (sql: string, parameters: Record<string, string | null>, deadline: number) =>
    (await database.execute(sql, parameters, deadline)).rows[0]?.[0];

  return {
    take: async (worker, seconds, deadline) =>
      (await first(TAKE, { worker, seconds: String(seconds) }, deadline)) === true,

    async leave(worker, deadline) {
      await database.execute("select cast(leave_retention(:worker) as text)", { worker }, deadline);
    },

    async next(deadline) {
      const { rows } = await database.execute(NEXT, {}, deadline);
      return rows[0] && toDueDay(rows[0]);
    },

    async postpone(day, why, deadline) {
      await database.execute(POSTPONE, { ...keyOf(day), why }, deadline);
    },

    attachmentOf: async (table, deadline) => {
      const attachment = await first("select attachment_of(:table)", { table }, deadline);
      return String(attachment) as Attachment;
    },

    async detach(table, deadline) {
      FAILPOINT: await failpoint("beforeDetach");
      await database.execute(`${alterClassOf(table)} concurrently`, {}, deadline);
      FAILPOINT: await failpoint("afterDetach");
    },

    async finalize(table, deadline) {
      await database.execute(`${alterClassOf(table)} finalize`, {}, deadline);
    },

    forget: async (day, deadline) => Number(await first(FORGET, keyOf(day), deadline)),

    async noteDetached(day, mustBeArchived, deadline) {
      FAILPOINT: await failpoint("beforeNoteDetached");
      await database.execute(NOTE_DETACHED, { ...keyOf(day), archived: String(mustBeArchived) }, deadline);
      FAILPOINT: await failpoint("afterNoteDetached");
    },

    async deleteKeys(day, pages, deadline) {
      FAILPOINT: await failpoint("beforeDeleteKeys");
      const more = await first(DELETE_KEYS, { ...keyOf(day), pages: String(pages) }, deadline);
      FAILPOINT: await failpoint("afterDeleteKeys");
      return more === true;
    },

    async drop(day, mustBeArchived, deadline) {
      FAILPOINT: await failpoint("beforeDrop");
      const bytes = await first(DROP, { ...keyOf(day), archived: String(mustBeArchived) }, deadline);
      FAILPOINT: await failpoint("afterDrop");
      return Number(bytes);
    },

    async holds(deadline) {
      const holds: Hold[] = [];
      for (;;) {
        const { tenant = null, id = null } = holds.at(-1) ?? {};
        const { rows } = await database.execute(HOLDS, { tenant, id }, deadline);
        holds.push(...rows.map(toHold));
        if (rows.length < HOLDS_PAGE) return holds;
      }
    },

    async moveHeld(day, hold, { most, mustBeArchived }, deadline) {
      const parameters = { ...keyOf(day), tenant: hold.tenant, ...conditionOf([hold]) };
      const limits = { most: String(most), archived: String(mustBeArchived) };
      const moved = Number(await first(MOVE_HELD, { ...parameters, ...limits }, deadline));
      return moved === -1 ? "due" : moved === -2 ? "too-young" : moved;
    },

    async tenantsWithHeld(deadline) {
      const { rows } = await database.execute("select tenant from tenants_with_held()", {}, deadline);
      return rows.map(([tenant]) => String(tenant));
    },

    async dropReleased(tenant, holds, most, deadline) {
      const ids = JSON.stringify(holds.map(({ id }) => id));
      return Number(await first(DROP_RELEASED, { tenant, ids, ...conditionOf(holds), most: String(most) }, deadline));
    },

    async tenantsWithOldRollups(keptDays, deadline) {
      const { rows } = await database.execute(OLD_ROLLUPS, { days: String(keptDays) }, deadline);
      return rows.map(([tenant]) => String(tenant));
    },

    async deleteRollups(tenant, keptDays, most, deadline) {
      const parameters = { tenant, days: String(keptDays), most: String(most) };
      return (await first(DELETE_ROLLUPS, parameters, deadline)) === true;
    },

    async lag(deadline) {
      const { rows } = await database.execute(LAG, {}, deadline);
      const [daysAhead, archiveDaysBehind, daysBehind] = (rows[0] ?? []).map(Number);
      return { daysAhead: daysAhead ?? 0, archiveDaysBehind: archiveDaysBehind ?? 0, daysBehind: daysBehind ?? 0 };
    },

    async read(until, deadline) {
      const { rows } = await database.execute(PLAN, { until }, deadline);
      return rows.map(toPlanned);
    },

    async readRollups(keptDays, until, deadline) {
      const days = keptDays === undefined ? null : String(keptDays);
      const { rows } = await database.execute(ROLLUPS_PLAN, { days, until }, deadline);
      const [deletedBefore, events, bytes] = rows[0] ?? [];
      return { deletedBefore: textOf(deletedBefore), rows: countOf(events), bytes: Number(bytes) };
    },
  };
}

const keyOf = ({ class: of, day }: DueDay) => ({ class: String(of), day });

/** @param table a name that the database has made (day_table): it has nothing that a statement would have to quote */
function alterClassOf(table: string): string {
  const parts = /^(event(?:s|_fields)_[0-9a-z]+)_\d{8}$/.exec(table);
  if (parts === null) throw new TypeError(`The table ${table} is not that of a class and day.`);
  return `alter table ${parts[1]} detach partition ${table}`;
}

/**
 * The condition that one of the holds has an event, over the row `e`. Every text of a user is a value, and the condition only has
 * its number. Null where there is no hold.
 */
function conditionOf(holds: readonly Hold[]): { condition: string | null; texts: string } {
  const texts: string[] = [];
  const conditions = holds.map(({ filter }) => {
    const condition = filter === undefined ? "true" : toSql(parseFilter(parseLossless(filter).lossless), texts);
    if (filter !== undefined && !isBoundSql(condition))
      throw new TypeError("The condition of a hold has text that is not bound.");
    return `(${condition}) is true`;
  });
  return { condition: conditions.length === 0 ? null : conditions.join(" or "), texts: JSON.stringify(texts) };
}

const toHold = ([id, tenant, filter]: SqlValue[]): Hold => ({
  id: String(id),
  tenant: String(tenant),
  filter: typeof filter === "string" ? filter : undefined,
});

function toDueDay([of, day, state, eventsTable, fieldsTable, wasDetached, waitSeconds]: SqlValue[]): DueDay {
  return {
    class: Number(of) as RetentionDays,
    day: String(day),
    state: String(state) as DueDay["state"],
    eventsTable: String(eventsTable),
    fieldsTable: String(fieldsTable),
    wasDetached: wasDetached === true,
    waitSeconds: Number(waitSeconds),
  };
}

function toPlanned([of, day, state, dueOn, tables, events, bytes, fault]: SqlValue[]): PlannedRetention {
  return {
    class: Number(of) as PlannedRetention["class"],
    day: textOf(day),
    state: String(state) as PlannedRetention["state"],
    dueOn: textOf(dueOn),
    tables: Number(tables),
    events: countOf(events),
    bytes: Number(bytes),
    fault: textOf(fault),
  };
}

const textOf = (value: SqlValue | undefined) => (typeof value === "string" ? value : undefined);
const countOf = (value: SqlValue | undefined) => (value === null || value === undefined ? undefined : Number(value));

const OF_DAY = "cast(:class as integer), cast(:day as date)";
const TAKE = "select take_retention(:worker, cast(:seconds as integer))";
const NEXT =
  "select class, day, state, events_table, fields_table, was_detached, wait_seconds from next_retention_day()";
const POSTPONE = `select cast(postpone_retention_day(${OF_DAY}, :why) as text)`;
const FORGET = `select forget_transactions(${OF_DAY})`;
const NOTE_DETACHED = `select note_detached(${OF_DAY}, cast(:archived as boolean))`;
const DELETE_KEYS = `select delete_day_keys(${OF_DAY}, cast(:pages as integer))`;
const DROP = `select drop_day(${OF_DAY}, cast(:archived as boolean))`;
const MOVE_HELD = `select move_held(
    ${OF_DAY}, :tenant, :condition, ${textArray(":texts")}, cast(:most as integer), cast(:archived as boolean)
  )`;
const HOLDS = `select id, tenant, filter from active_holds_behind(:tenant, :id, ${HOLDS_PAGE})`;
const DROP_RELEASED = `select drop_unheld(
    :tenant, cast(:ids as jsonb), :condition, ${textArray(":texts")}, cast(:most as integer)
  )`;
const OLD_ROLLUPS = "select tenant from tenants_with_old_rollups(cast(:days as integer))";
const DELETE_ROLLUPS = "select delete_rollups(:tenant, cast(:days as integer), cast(:most as integer))";
const ROLLUPS_PLAN =
  "select deleted_before, rollups, bytes from read_rollup_retention(cast(:days as integer), cast(:until as date))";
const LAG = "select days_ahead, archive_days_behind, days_behind from retention_lag()";
const PLAN = "select class, day, state, due_on, tables, events, bytes, fault from read_retention(cast(:until as date))";
