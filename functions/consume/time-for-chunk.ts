import { CHUNK_MIN_REMAINING_MS } from "./limits.ts";
import type { Clock } from "../core/ports.ts";

/** Tells whether a chunk that is begun now can be finished before the deadline (ms since the epoch). */
export function hasTimeForChunk(deadline: number, clock: Clock): boolean {
  return clock().getTime() + CHUNK_MIN_REMAINING_MS <= deadline;
}
