import {
  RETRY_AFTER_MAX_HOURS,
  RETRY_DOUBLING_FIRST_SECONDS,
  RETRY_DOUBLING_HOURS,
  RETRY_JITTER,
  RETRY_SCHEDULE_SECONDS,
} from "../core/subscription-limits.ts";
import type { Subscription } from "../core/subscription.ts";

/**
 * When a delivery is tried again, in ms since the epoch; undefined where that was its last try. The tries are counted, not the
 * time: a delivery that was held back by a rate, a circuit or a disabled subscription has all of them all the same.
 * @param of `tries`: so many have failed. `retryAfterMs`: the sink takes nothing before
 * @param random from 0 (included) to 1 (excluded)
 */
export function nextTry(
  { schedule, tries, retryAfterMs = 0 }: Tried,
  { now, random }: { now: number; random: number },
): number | undefined {
  const wait = WAITS[schedule][tries - 1];
  if (wait === undefined) return undefined;
  const jittered = wait * 1_000 * (1 + RETRY_JITTER * (2 * random - 1));
  const asked = Math.min(retryAfterMs, RETRY_AFTER_MAX_HOURS * HOUR_MS);
  return now + Math.round(Math.max(jittered, asked));
}

type Tried = { schedule: Subscription["schedule"]; tries: number; retryAfterMs?: number | undefined };

const HOUR_MS = 3_600_000;

/** The waits behind each try, in seconds. */
const WAITS: Record<Subscription["schedule"], readonly number[]> = {
  standard: RETRY_SCHEDULE_SECONDS,
  doubling: doublingWaits(),
};

/** Each twice the one before; the last is what is left of the hours. */
function doublingWaits(): number[] {
  const waits: number[] = [];
  let left = RETRY_DOUBLING_HOURS * 3_600;
  for (let wait = RETRY_DOUBLING_FIRST_SECONDS; left > 0; wait *= 2) {
    waits.push(Math.min(wait, left));
    left -= wait;
  }
  return waits;
}
