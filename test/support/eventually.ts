import { setTimeout as delay } from "node:timers/promises";

/**
 * Asks until the answer is as wanted, by default until it is not undefined.
 * @throws Error with the last answer when the deadline is over; a deadline is the time to give up, no bound on the code
 */
export async function eventually<T>(ask: () => Promise<T> | T): Promise<Exclude<T, undefined>>;
export async function eventually<T>(
  ask: () => Promise<T> | T,
  isWanted: (answer: T) => boolean,
  withinMs?: number,
): Promise<T>;
export async function eventually<T>(
  ask: () => Promise<T> | T,
  isWanted: (answer: T) => boolean = (answer) => answer !== undefined,
  withinMs = PATIENCE_MS,
): Promise<T> {
  // Goes on where a test lets `Date` stand still.
  const deadline = performance.now() + withinMs;
  for (;;) {
    const outcome = await attempt(ask);
    if ("answer" in outcome && isWanted(outcome.answer)) return outcome.answer;
    if (performance.now() > deadline) throw new Error(`Not within ${withinMs} ms. Last answer: ${describe(outcome)}`);
    await delay(ASK_EVERY_MS);
  }
}

/** Also enough on a machine that is busy with other things. */
const PATIENCE_MS = 60_000;
const ASK_EVERY_MS = 20;

type Outcome<T> = { answer: T } | { error: unknown };

async function attempt<T>(ask: () => Promise<T> | T): Promise<Outcome<T>> {
  try {
    return { answer: await ask() };
  } catch (error) {
    return { error };
  }
}

function describe(outcome: Outcome<unknown>): string {
  if ("error" in outcome) return String(outcome.error);
  return outcome.answer === undefined ? "undefined" : JSON.stringify(outcome.answer).slice(0, 500);
}
