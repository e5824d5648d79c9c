import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import {
  PARTITION_DAYS_AHEAD,
  PARTITION_DAYS_AT_ONCE,
  PARTITION_DAYS_BACK,
  PARTITION_LOCK_ATTEMPTS,
} from "../core/database-limits.ts";
import type { DeclaredField, DeclaredFields } from "../core/declared-fields.ts";
import type { DatabaseCredentials, SetPassword } from "../core/database-roles.ts";
import { DatabaseError } from "../core/errors.ts";
import type { Clock, ExecuteSql, Migration, SqlDatabase } from "../core/ports.ts";
import { type Retention, RETENTION_DAYS } from "../core/retention.ts";
import type { Wakes } from "../core/wakes.ts";
import type { DeadLetterFields } from "./keep-dead-letters.ts";
import type { DeliveryFields } from "./keep-deliveries.ts";
import type { RollupFields } from "./keep-rollups.ts";
import { splitStatements } from "./split-statements.ts";

export type MigrateResult = { applied: string[]; partitionsMade: number; passwordsSet: string[] } & RollupFields &
  DeadLetterFields &
  DeliveryFields & {
    measuresChanged?: number;
    indexedChanged?: number;
  };

export type MigrateDeps = {
  database: SqlDatabase;
  clock: Clock;
  /** Reads the current values of the secrets of the database's roles. @throws SecretError */
  credentials: () => Promise<DatabaseCredentials[]>;
  setPassword: SetPassword;
  /** The fields that the catalog declares. @default those of the last run that named some */
  declaredFields?: DeclaredFields;
  /** The retention of events whose type names none. @default that of the last run that named one */
  retention?: Retention;
  /** Merges and checks rollups, after everything else. @default it is left out */
  keepRollups?: (deadline: number) => Promise<RollupFields>;
  /** Deletes closed dead letters, as the stage says. @default it is left out */
  keepDeadLetters?: (deadline: number) => Promise<DeadLetterFields>;
  /** Makes and drops partitions of attempts, and deletes finished deliveries. @default it is left out */
  keepDeliveries?: (deadline: number) => Promise<DeliveryFields>;
  /** Wakes the workers of notify once, for a wake-up that was lost. @default it is left out */
  wakes?: Wakes;
};

/**
 * Applies the migrations that are not applied yet, in the order of their names, each in one transaction with its record.
 * Then it makes sure that the numbers of transactions go on after a restore from a dump, makes the partitions of the days
 * around today, and gives the users of the database the passwords of their secrets: also after a restore, or where a secret
 * was made again. It declares the catalog's fields, and keeps the rollups, the dead letters and the deliveries. Concurrent runs wait for each other at a lock.
 */
export function createMigrate(deps: MigrateDeps) {
  const { database, clock, credentials, setPassword, declaredFields, retention, wakes } = deps;
  const { keepRollups, keepDeadLetters, keepDeliveries } = deps;
  /**
   * @throws Error that names the migration, with the database's message; also for an applied file that has changed;
   * SecretError
   */
  return async function migrate(migrations: Migration[], deadline: number): Promise<MigrateResult> {
    const sorted = migrations.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const applied: string[] = [];
    const step: Step = (name, work) =>
      locked(database, deadline, work).catch((cause: unknown) => {
        // No event is involved, so the log may hold the database's message.
        throw cause instanceof DatabaseError ? new Error(`${name}: ${cause.detail}`, { cause }) : cause;
      });
    await step("schema_migrations", (execute) => execute(createMigrationsTable, {}, deadline));
    for (const migration of sorted) {
      const isNew = await step(migration.name, (execute) => apply(migration, execute, deadline));
      if (isNew) applied.push(migration.name);
    }
    await step("incarnation", (execute) => execute("select ensure_incarnation()", {}, deadline));
    if (retention !== undefined) {
      const classes = declaredFields?.retentions ?? [];
      await step("retention", (execute) => declareRetention(execute, retention, classes, deadline));
    }
    const partitionsMade = await ensurePartitions(step, clock(), deadline);
    const users = await credentials();
    const passwordsSet = await step("passwords", async (execute) => {
      for (const user of users) await setPassword(execute, user, deadline);
      return users.map(({ username }) => username);
    });
    const changed =
      declaredFields && (await step("declared fields", (execute) => declareFields(execute, declaredFields, deadline)));
    const kept = {
      ...(await keepRollups?.(deadline)),
      ...(await keepDeadLetters?.(deadline)),
      ...(await keepDeliveries?.(deadline)),
    };
    // For whatever was lost, a wake-up that was planned too.
    await wakes?.send({ isRepeated: true }, 0, deadline);
    return { applied, partitionsMade, passwordsSet, ...changed, ...kept };
  };
}

const createMigrationsTable = `
  create table if not exists schema_migrations (
    name text primary key,
    sha256 text not null,
    applied_at timestamptz not null default clock_timestamp()
  )
`;

/** PostgreSQL holds the lock until the transaction ends. The number is arbitrary; nothing else in the database uses it. */
const tryLock = "select pg_try_advisory_xact_lock(7284562133)";
const LOCK_POLL_MS = 1_000;

/** Polls for the lock, because the Data API ends a statement that waits for it after 45 s. */
async function locked<T>(
  database: SqlDatabase,
  deadline: number,
  work: (execute: ExecuteSql) => Promise<T>,
): Promise<T> {
  for (;;) {
    const outcome = await database.transaction(async (execute) => {
      const { rows } = await execute(tryLock, {}, deadline);
      return rows[0]?.[0] === true ? { result: await work(execute) } : undefined;
    }, deadline);
    if (outcome !== undefined) return outcome.result;
    if (Date.now() + LOCK_POLL_MS > deadline)
      throw new Error("Another run holds the migration lock. Run it again later.");
    await delay(LOCK_POLL_MS);
  }
}

async function apply({ name, sql }: Migration, execute: ExecuteSql, deadline: number): Promise<boolean> {
  const sha256 = createHash("sha256").update(sql.replaceAll("\r\n", "\n")).digest("hex");
  const { rows } = await execute("select name, sha256 from schema_migrations order by name", {}, deadline);
  const recorded = rows.find(([recordedName]) => recordedName === name)?.[1];
  if (recorded === sha256) return false;
  if (recorded !== undefined) {
    throw new Error(
      `Migration ${name} was changed after it was applied: its SHA-256 was ${recorded} and is ${sha256}. ` +
        "An applied migration cannot change. Restore the file and write the change as a new migration with the next number. " +
        "If the file came with an upgrade from before the first release, the database has to be made once more: docs/deploy.md#upgrade; on this machine `npm start -- --fresh`.",
    );
  }
  const latest = String(rows.at(-1)?.[0] ?? "");
  if (name < latest) {
    throw new Error(
      `Migration ${name} comes after ${latest} was applied. Give it the next number: migrations run forward only.`,
    );
  }
  for (const statement of splitStatements(sql)) await execute(statement, {}, deadline);
  await execute("insert into schema_migrations (name, sha256) values (:name, :sha256)", { name, sha256 }, deadline);
  return true;
}

type Step = <T>(name: string, work: (execute: ExecuteSql) => Promise<T>) => Promise<T>;

/**
 * Makes the tables of the days around today, some days in each transaction: the first run makes hundreds of them. A statement
 * gives up after two seconds where another one changes the tables of the same class, and is then tried again.
 */
async function ensurePartitions(step: Step, now: Date, deadline: number): Promise<number> {
  const day = (offset: number) => new Date(now.getTime() + offset * 86_400_000).toISOString().slice(0, 10);
  let made = 0;
  for (let from = -PARTITION_DAYS_BACK; from <= PARTITION_DAYS_AHEAD; from += PARTITION_DAYS_AT_ONCE) {
    const to = Math.min(from + PARTITION_DAYS_AT_ONCE - 1, PARTITION_DAYS_AHEAD);
    made += await tryAgain(() =>
      step("partitions", async (execute) => {
        const sql = "select ensure_event_partitions(cast(:first as date), cast(:last as date))";
        const { rows } = await execute(sql, { first: day(from), last: day(to) }, deadline);
        return Number(rows[0]?.[0] ?? 0);
      }),
    );
  }
  return made;
}

/** Tries a statement again that did not get a lock in time. */
async function tryAgain<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const { cause } = error as Error;
      const isLocked = cause instanceof DatabaseError && cause.reason === "object_not_available";
      if (!isLocked || attempt === PARTITION_LOCK_ATTEMPTS) throw error;
    }
  }
}

async function declareRetention(
  execute: ExecuteSql,
  ofStage: Retention,
  ofTypes: readonly Retention[],
  deadline: number,
): Promise<void> {
  const classes = JSON.stringify(ofTypes.map((each) => RETENTION_DAYS[each]));
  const sql = `select declare_retention(cast(:default as integer),
    array(select cast(value as integer) from jsonb_array_elements_text(cast(:classes as jsonb)) as value))`;
  await execute(sql, { default: String(RETENTION_DAYS[ofStage]), classes }, deadline);
}

async function declareFields(execute: ExecuteSql, { measures, indexed }: DeclaredFields, deadline: number) {
  const declare = async (table: string, fields: readonly DeclaredField[]) => {
    const sql = "select declare_fields(:table, cast(:fields as jsonb))";
    const { rows } = await execute(sql, { table, fields: JSON.stringify(fields) }, deadline);
    return Number(rows[0]?.[0] ?? 0);
  };
  return {
    measuresChanged: await declare("measures", measures),
    indexedChanged: await declare("indexed_fields", indexed),
  };
}
