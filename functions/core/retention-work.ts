import type { RetentionDays } from "./retention.ts";

/** The work of retention as the database records it: functions/sql/0011_retention.sql. */

/** The states of a class and day (retention_days). */
type RetentionState = "open" | "due" | "archived" | "detached" | "keys_deleted" | "dropped";

/** A class and day whose retention is over, with its tables. */
export type DueDay = {
  class: RetentionDays;
  /** As 2026-11-21. */
  day: string;
  state: Exclude<RetentionState, "open" | "dropped">;
  eventsTable: string;
  fieldsTable: string;
  /** Its table is a part of no other any more, although it may have to be archived once more. */
  wasDetached: boolean;
  /** Until it is tried again. */
  waitSeconds: number;
};

/** `missing`: there is no such table. `pending`: a detachment was interrupted, and has to be finalized. */
export type Attachment = "attached" | "pending" | "detached" | "missing";

/** A legal hold in force: the events of a tenant that a filter matches, or all. */
export type Hold = { id: string; tenant: string; filter: string | undefined };

/** The state that a run leaves behind, in days. */
type RetentionLag = { daysAhead: number; archiveDaysBehind: number; daysBehind: number };

/** Every call may throw DatabaseError. `deadline` is ms since the epoch. */
export type RetentionWork = {
  /** Takes the work for some seconds, unless another worker has it, and makes days due whose retention is over. */
  take(worker: string, seconds: number, deadline: number): Promise<boolean>;
  leave(worker: string, deadline: number): Promise<void>;
  /** The oldest day that is not waiting, else the one that waits shortest; undefined where everything is done. */
  next(deadline: number): Promise<DueDay | undefined>;
  /** Notes that a step of a day failed, and makes it wait. */
  postpone(day: DueDay, why: string, deadline: number): Promise<void>;
  attachmentOf(table: string, deadline: number): Promise<Attachment>;
  /** Detaches a table without a lock that readers or writers wait for. The answer may be lost, and the work interrupted half-way. */
  detach(table: string, deadline: number): Promise<void>;
  /** Completes a detachment that was interrupted. */
  finalize(table: string, deadline: number): Promise<void>;
  /** Forgets transactions of a day in the feed, some at a time; returns their number, and 0 when there are no more. */
  forget(day: DueDay, deadline: number): Promise<number>;
  /** Notes that the tables are detached. The day is due again where events were stored behind its archive. */
  noteDetached(day: DueDay, mustBeArchived: boolean, deadline: number): Promise<void>;
  /** Deletes the keys of some pages of a detached table; returns whether there are more. */
  deleteKeys(day: DueDay, pages: number, deadline: number): Promise<boolean>;
  /** Drops the tables, and returns the bytes that are free. */
  drop(day: DueDay, mustBeArchived: boolean, deadline: number): Promise<number>;
  holds(deadline: number): Promise<Hold[]>;
  /**
   * Moves events under a hold out of the table of a day, at most so many; returns their number. Where it must be archived and one of
   * them was stored behind the archive, it moves none and the day is due again: `too-young` while the archive cannot have it.
   */
  moveHeld(
    day: DueDay,
    hold: Hold,
    limits: { most: number; mustBeArchived: boolean },
    deadline: number,
  ): Promise<number | "due" | "too-young">;
  tenantsWithHeld(deadline: number): Promise<string[]>;
  /**
   * Deletes held events of a tenant that are under none of its holds any more, at most so many; returns their number. Where the
   * tenant has other holds by now, it deletes nothing, and returns 0.
   */
  dropReleased(tenant: string, holds: readonly Hold[], most: number, deadline: number): Promise<number>;
  /** The tenants with rollups that are older than so many days. */
  tenantsWithOldRollups(keptDays: number, deadline: number): Promise<string[]>;
  /** Deletes such rollups of a tenant, at most so many; returns whether there may be more. A tenant under a hold keeps its own. */
  deleteRollups(tenant: string, keptDays: number, most: number, deadline: number): Promise<boolean>;
  lag(deadline: number): Promise<RetentionLag>;
};

/** A part of the plan: a day that is due, or what is kept of a class. */
export type PlannedRetention = {
  /** -1: events under a legal hold. */
  class: RetentionDays | -1;
  day: string | undefined;
  state: Exclude<RetentionState, "dropped"> | "kept" | "held";
  dueOn: string | undefined;
  tables: number;
  /** As the statistics of PostgreSQL have it. */
  events: number | undefined;
  bytes: number;
  fault: string | undefined;
};

/** Rollups, as the database has them. */
type PlannedRollups = {
  /** The day before which those of all days are deleted by then; undefined where they are kept for good. */
  deletedBefore: string | undefined;
  /** As the statistics of PostgreSQL have it. */
  rows: number | undefined;
  bytes: number;
};

export type RetentionPlans = {
  read(until: string, deadline: number): Promise<PlannedRetention[]>;
  /** @param keptDays undefined where rollups are kept for good */
  readRollups(keptDays: number | undefined, until: string, deadline: number): Promise<PlannedRollups>;
};

/**
 * Writes a day into the archive, some of it at a time, and returns whether all of it is there and was verified. It notes that
 * itself (note_archived).
 */
export type ArchiveDay = (day: DueDay, until: number) => Promise<"archived" | "unfinished">;

/** The queue of the steps. */
export type RetentionSteps = {
  /** Sends the message of the next step, to be received after a delay; false where the queue did not confirm it. */
  send(delaySeconds: number, deadline: number): Promise<boolean>;
};
