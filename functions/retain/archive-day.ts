import type { ArchiveDay } from "../core/retention-work.ts";
import { type ArchiveDeps, createArchiveStep } from "./archive-step.ts";

/** The time of the calls of a part, which begins before `until`. */
const CALLS_MS = 60_000;

/** The archive as a step of retention: a day that is due, and once more when its table is detached. */
export function createArchiveDay(deps: ArchiveDeps): ArchiveDay {
  const archive = createArchiveStep(deps);
  return async ({ class: retention, day, wasDetached }, until) => {
    const outcome = await archive(
      { retention, day, isDetached: wasDetached },
      { stopAt: until, deadline: until + CALLS_MS },
    );
    return outcome.kind === "archived" ? "archived" : "unfinished";
  };
}
