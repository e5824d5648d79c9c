import type { Limits } from "./access.ts";
import { type LeasedTokens, noTokens } from "./lease.ts";
import { noPause, type Pause } from "./lease-pause.ts";
import type { BucketName, LimitRecord } from "./lease-store.ts";
import type { Subject } from "./limit-subjects.ts";

/** The knowledge of one process about one subject. */
export type State = {
  limits: Limits;
  held: Record<BucketName, LeasedTokens>;
  /** The record as it was last seen, and when: other processes have taken tokens since, and hardly given any back. */
  seen: { record: LimitRecord; at: number } | undefined;
  /** Another process took tokens since the last look, so the next change reads first: a read costs a fifth of a failed write. */
  isShared: boolean;
  /** The record of this process alone, while the table does not answer. */
  local: LimitRecord | undefined;
  pauses: Record<BucketName, Pause>;
  /** A lease of this process is under way. */
  leasing: Promise<boolean> | undefined;
};

/**
 * The states of the subjects that a process knows, at most so many: the ones that were not used for longest are forgotten
 * first. Tokens of other limits are dropped: a limit that was lowered holds at once.
 */
export function createLimitStates(maxSubjects: number): (subject: Subject) => State {
  const states = new Map<string, State>();

  return function stateOf({ id, limits }: Subject): State {
    const known = states.get(id);
    states.delete(id);
    const state = known !== undefined && isSame(known.limits, limits) ? known : newState(limits);
    states.set(id, state);
    if (states.size > maxSubjects) forgetOldest();
    return state;
  };

  function forgetOldest(): void {
    const [oldest] = states.keys();
    if (oldest !== undefined) states.delete(oldest);
  }
}

function newState(limits: Limits): State {
  return {
    limits,
    held: { events: noTokens(), requests: noTokens() },
    seen: undefined,
    isShared: false,
    local: undefined,
    pauses: { events: noPause(), requests: noPause() },
    leasing: undefined,
  };
}

function isSame(a: Limits, b: Limits): boolean {
  return (
    a === b ||
    (a.eventsPerSecond === b.eventsPerSecond &&
      a.burst === b.burst &&
      a.requestsPerSecond === b.requestsPerSecond &&
      a.eventsPerDay === b.eventsPerDay)
  );
}
