import type { Clock } from "./ports.ts";
import type { StatusMessages } from "./status-message.ts";

/** A snapshot costs the database a query, so there is one for all changes of a minute. */
const PERIOD_MS = 60_000;

/** Room between the clocks of the processes and of the database, so that a snapshot which is due has every change of its minute. */
const CLOCKS_MS = 2_000;

/**
 * Asks for a snapshot of the ledger behind a commit that changed it. The message is delivered when the minute is over, to all processes
 * at the same time, and one is enough for all commits of a process in that minute. Where the queue did not confirm it, the next call sends it.
 */
export function createAskForLedger({ messages, clock }: { messages: StatusMessages; clock: Clock }) {
  let asked = 0;
  /** @returns whether a message asks for what was committed before. Never throws. */
  return async function askForLedger(deadline: number): Promise<boolean> {
    const now = clock().getTime();
    const end = (Math.floor(now / PERIOD_MS) + 1) * PERIOD_MS;
    if (asked === end) return true;
    const due = end + CLOCKS_MS;
    const isSent = await messages.send({ kind: "ledger", due }, Math.ceil((due - now) / 1_000), deadline);
    if (isSent) asked = end;
    return isSent;
  };
}
