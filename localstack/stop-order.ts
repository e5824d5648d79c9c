import { pause, unlessAborted } from "./on-abort.ts";

/** Ends one part of the runtime. Once `giveUp` fires, it ends without what is still in flight. */
export type StopPart = (giveUp: AbortSignal) => Promise<unknown>;

/** How long work in flight may go on after Ctrl-C, for all parts together. */
const WORK_MS = 3_000;

/** How long a part may take to end once that time is over; then it is left to the end of this process. */
const LEAVE_MS = 700;

/** Stops parts one after the other, the last one first. A part that fails or hangs does not keep the others. */
export async function stopInOrder(parts: readonly StopPart[], log: (line: string) => void): Promise<void> {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), WORK_MS);
  for (const stop of parts.toReversed()) {
    const stopped = stop(giveUp.signal).catch((error: unknown) =>
      log(`stop: ${error instanceof Error ? error.message : String(error)}`),
    );
    await unlessAborted(stopped, giveUp.signal, undefined);
    if (!giveUp.signal.aborted) continue;
    const left = new AbortController();
    void stopped.then(() => left.abort());
    await pause(LEAVE_MS, left.signal);
  }
  clearTimeout(timer);
}

/** Several parts as one: they are stopped at the same time. */
export function together(parts: readonly StopPart[]): StopPart {
  return (giveUp) => Promise.all(parts.map((stop) => stop(giveUp)));
}
