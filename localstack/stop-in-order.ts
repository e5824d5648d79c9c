import { messageOf } from "./message-of.ts";
import { pause, unlessAborted } from "./on-abort.ts";
import { STOP_PART_MS, STOP_WORK_MS } from "./stop-times.ts";

/** Ends one part of the runtime. Once `giveUp` fires, it abandons what is still in flight. */
export type StopPart = (giveUp: AbortSignal) => Promise<unknown>;

/** Stops parts one after the other, the last one first. A part that fails or hangs does not hold up the others. */
export async function stopInOrder(parts: readonly StopPart[], log: (line: string) => void): Promise<void> {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), STOP_WORK_MS);
  for (const stop of parts.toReversed()) {
    const stopped = stop(giveUp.signal).catch((error: unknown) => log(`stop: ${messageOf(error)}`));
    await unlessAborted(stopped, giveUp.signal, undefined);
    if (!giveUp.signal.aborted) continue;
    const left = new AbortController();
    void stopped.then(() => left.abort());
    await pause(STOP_PART_MS, left.signal);
  }
  clearTimeout(timer);
}

/** Several parts as one; they stop at the same time. */
export function together(parts: readonly StopPart[]): StopPart {
  return (giveUp) => Promise.all(parts.map((stop) => stop(giveUp)));
}
