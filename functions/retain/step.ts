import { DatabaseError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import type { ArchiveDay, DueDay, Hold, RetentionSteps, RetentionWork } from "../core/retention-work.ts";
import {
  RETAIN_HELD_AT_ONCE,
  RETAIN_KEY_PAGES,
  RETAIN_MAX_DELAY_SECONDS,
  RETAIN_ROLLUPS_AT_ONCE,
  RETAIN_STEP_MS,
  RETAIN_STEP_RESERVE_MS,
} from "../core/retention-limits.ts";
import { createDetach } from "./detach.ts";

export type StepDeps = {
  work: RetentionWork;
  steps: RetentionSteps;
  clock: Clock;
  /** Writes a day into the archive. @default days are dropped without one */
  archive?: ArchiveDay;
  /** For how many days rollups are kept. @default for good */
  rollupDays?: number | undefined;
  /** Pages of which one statement deletes the keys. @default RETAIN_KEY_PAGES */
  keyPages?: number;
};

/**
 * The result of a message. `busy`: another step has the work, and goes on with it. `unsent` stays in the queue; the others are
 * done with. `waiting`: what is left is tried again later.
 */
export type StepOutcome =
  | { kind: "busy" }
  | { kind: "done" | "continued" | "waiting" | "unsent"; dropped: number; bytes: number; postponed: Postponed[] };

/** A day of which a step failed, and why. */
class ArchiveFault extends Error {
  override readonly name = "ArchiveFault";
}

/** @throws any other error: it is a fault of the code, and ends the invocation */
function faultOf(error: unknown): { reason: string; detail: string } {
  if (error instanceof DatabaseError) return error;
  if (!(error instanceof ArchiveFault)) throw error;
  const { cause = error } = error;
  return { reason: "archive", detail: cause instanceof Error ? cause.message : String(cause) };
}

type Postponed = { class: number; day: string; reason: string };

/**
 * Works on the days whose retention is over, the oldest first: archive, detach, delete the keys, drop. Each change of a day is one
 * statement that notes itself, so the next step goes on wherever one was killed. A day that cannot go on waits,
 * and holds up no other.
 */
export function createRetainStep({ work, steps, clock, archive, rollupDays, keyPages = RETAIN_KEY_PAGES }: StepDeps) {
  const mustBeArchived = archive !== undefined;
  const detach = createDetach(work);

  /** @param until when the function is stopped @throws DatabaseError, where the work cannot even be taken */
  return async function step({ messageId }: Pick<ReceivedMessage, "messageId">, until: number): Promise<StepOutcome> {
    const seconds = Math.ceil((until - clock().getTime()) / 1_000);
    if (!(await work.take(messageId, seconds, until))) return { kind: "busy" };
    const stopAt = Math.min(clock().getTime() + RETAIN_STEP_MS, until - RETAIN_STEP_RESERVE_MS);
    const result = { dropped: 0, bytes: 0, postponed: [] as Postponed[] };
    await dropReleased(stopAt, until);
    let delaySeconds: number | undefined;
    for (;;) {
      const day = await work.next(until);
      if (day === undefined) break;
      delaySeconds = Math.min(day.waitSeconds, RETAIN_MAX_DELAY_SECONDS);
      if (day.waitSeconds > 0 || clock().getTime() >= stopAt) break;
      try {
        const bytes = await advance(day, stopAt, until);
        result.dropped += bytes === undefined ? 0 : 1;
        result.bytes += bytes ?? 0;
      } catch (error) {
        const { reason, detail } = faultOf(error);
        await work.postpone(day, `${reason}: ${detail}`, until);
        result.postponed.push({ class: day.class, day: day.day, reason });
      }
      delaySeconds = undefined;
    }
    if (!(await deleteRollups(stopAt, until))) delaySeconds = 0;
    await work.leave(messageId, until);
    if (delaySeconds === undefined) return { kind: "done", ...result };
    const isSent = await steps.send(delaySeconds, until);
    return { kind: isSent ? (delaySeconds > 0 ? "waiting" : "continued") : "unsent", ...result };
  };

  /** Takes a day one state further; returns the bytes that are free where its tables are dropped. */
  async function advance(day: DueDay, stopAt: number, until: number): Promise<number | undefined> {
    switch (day.state) {
      case "due":
        return archive === undefined ? takeOut(day, until) : toArchive(archive, day, stopAt);
      case "archived":
        return takeOut(day, until);
      case "detached":
        // Events that were stored between the detachment and what came before it.
        if (!(await moveHeld(day, until))) return undefined;
        await forget(day, until);
        while (clock().getTime() < stopAt && (await work.deleteKeys(day, keyPages, until)));
        return undefined;
      case "keys_deleted":
        return work.drop(day, mustBeArchived, until);
    }
  }

  /** Whatever is wrong with the archive, the day waits, and the others go on. */
  async function toArchive(archive: ArchiveDay, day: DueDay, stopAt: number): Promise<undefined> {
    const outcome = await archive(day, stopAt).catch((cause: unknown) => {
      throw cause instanceof DatabaseError ? cause : new ArchiveFault("The archive failed.", { cause });
    });
    // Before its time is over it ends unfinished only where another one goes on with it.
    if (outcome === "unfinished" && clock().getTime() < stopAt)
      throw new ArchiveFault("Another step archives the day.");
  }

  /** Takes a day out of the tables that are read and written. Followers of the feed are refused before, so none misses an event. */
  async function takeOut(day: DueDay, until: number): Promise<undefined> {
    if (!(await moveHeld(day, until))) return;
    await forget(day, until);
    await detach(day.eventsTable, until);
    await detach(day.fieldsTable, until);
    await work.noteDetached(day, mustBeArchived, until);
  }

  async function forget(day: DueDay, until: number): Promise<void> {
    while ((await work.forget(day, until)) > 0);
  }

  /** Returns false where the day has to be archived once more first. */
  async function moveHeld(day: DueDay, until: number): Promise<boolean> {
    const limits = { most: RETAIN_HELD_AT_ONCE, mustBeArchived };
    for (const hold of await work.holds(until)) {
      let moved: number | "due" | "too-young";
      do moved = await work.moveHeld(day, hold, limits, until);
      while (moved === RETAIN_HELD_AT_ONCE);
      if (moved === "due") return false;
      if (moved === "too-young") throw new ArchiveFault("The transaction of an event under a hold may still be open.");
    }
    return true;
  }

  /** Deletes the rollups whose time is over; returns whether all of them are deleted. */
  async function deleteRollups(stopAt: number, until: number): Promise<boolean> {
    if (rollupDays === undefined) return true;
    for (const tenant of await work.tenantsWithOldRollups(rollupDays, until))
      do if (clock().getTime() >= stopAt) return false;
      while (await work.deleteRollups(tenant, rollupDays, RETAIN_ROLLUPS_AT_ONCE, until));
    return true;
  }

  /** Events that were held, and no longer are, go now: the retention of each is over. */
  async function dropReleased(stopAt: number, until: number): Promise<void> {
    const tenants = await work.tenantsWithHeld(until);
    if (tenants.length === 0) return;
    const byTenant = Map.groupBy(await work.holds(until), ({ tenant }) => tenant);
    for (const tenant of tenants) {
      const holds: readonly Hold[] = byTenant.get(tenant) ?? [];
      while (
        clock().getTime() < stopAt &&
        (await work.dropReleased(tenant, holds, RETAIN_HELD_AT_ONCE, until)) === RETAIN_HELD_AT_ONCE
      );
    }
  }
}
