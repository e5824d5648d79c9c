import type { Clock, EventQueue } from "../core/ports.ts";
import { toMessageBody } from "../core/message-text.ts";
import { fitAttributes, isGroupId, type OutgoingMessage, replayAttributes } from "../core/queue-message.ts";
import type { ReplayJob, ReplayWork, TakenDeadLetter } from "../core/replay-job.ts";
import { MARK_EVERY_MS, RATE_SLICES_PER_SECOND } from "../core/replay-limits.ts";

type Deps = {
  work: Pick<ReplayWork, "readUnsent" | "markSent">;
  queue: EventQueue;
  clock: Clock;
  wait: (milliseconds: number) => Promise<unknown>;
};

/**
 * Sends what a job took and has not marked, and marks it. A rate holds on average over the whole step: each slice of events
 * waits for its time, and the next step begins when the last one's is over.
 * @param stopAt no slice begins later
 */
export function createSendUnsent({ work, queue, clock, wait }: Deps, { id, request }: ReplayJob, stopAt: number) {
  const { rate = Number.POSITIVE_INFINITY, to } = request;
  const startedAt = clock().getTime();
  const progress = { sent: 0 };

  /** When as many events as are sent may have been sent. */
  const dueAt = () => startedAt + (progress.sent / rate) * 1_000;

  /** Waits until then. Returns whether there is time for more. */
  async function pace(): Promise<boolean> {
    const now = clock().getTime();
    if (dueAt() > now) await wait(Math.max(Math.min(dueAt(), stopAt) - now, 0));
    return clock().getTime() < stopAt;
  }

  async function sendPage(page: TakenDeadLetter[], deadline: number) {
    const slice = Math.min(Math.max(Math.ceil(rate / RATE_SLICES_PER_SECOND), 1), page.length);
    const before = progress.sent;
    let confirmed: string[] = [];
    let markedAt = clock().getTime();
    let failed = 0;
    const mark = async () => {
      if (confirmed.length > 0) await work.markSent(id, confirmed, deadline);
      confirmed = [];
      markedAt = clock().getTime();
    };
    let hasTime = true;
    for (let at = 0; at < page.length && hasTime && failed === 0; at += slice) {
      const deadLetters = page.slice(at, at + slice);
      const outcomes = await queue.send(
        deadLetters.map((each) => toMessage(each, to === undefined)),
        deadline,
      );
      for (const [index, each] of deadLetters.entries()) {
        if (outcomes[index] === "enqueued") confirmed.push(each.id);
        else failed += 1;
      }
      progress.sent += deadLetters.length - failed;
      if (clock().getTime() >= markedAt + MARK_EVERY_MS) await mark();
      hasTime = await pace();
    }
    await mark();
    return { failed, isInterrupted: failed === 0 && (!hasTime || progress.sent - before < page.length) };
  }

  return {
    /** Events that the queue has confirmed so far. */
    get sent(): number {
      return progress.sent;
    },

    /** The rest of the time that the sent events take at their rate. */
    secondsDue: () => Math.max(Math.ceil((dueAt() - clock().getTime()) / 1_000), 0),

    /** `failed`: the queue did not confirm so many. `isInterrupted`: the time was over before everything was sent. */
    async send(deadline: number): Promise<{ failed: number; isInterrupted: boolean }> {
      let after: string | undefined;
      for (;;) {
        const page = await work.readUnsent(id, after, deadline);
        if (page.length === 0) return { failed: 0, isInterrupted: false };
        const result = await sendPage(page, deadline);
        if (result.failed > 0 || result.isInterrupted) return result;
        after = page.at(-1)?.id;
      }
    },
  };
}

/** The message as it was, in its tenant's group. What goes to another queue has no row here that could open again. */
function toMessage({ id, number, tenant, body: text }: TakenDeadLetter, comesBack: boolean): OutgoingMessage {
  const body = comesBack ? toMessageBody(text) : text;
  const attributes = fitAttributes(body, replayAttributes(number, comesBack ? id : undefined));
  return { body, ...(isGroupId(tenant) && { group: tenant }), attributes };
}
