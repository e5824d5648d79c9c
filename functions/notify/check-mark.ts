import { AccessError } from "../core/access.ts";
import { DISPATCH_MS } from "../core/subscription-limits.ts";
import type { Clock } from "../core/ports.ts";
import type { DeliveryWork } from "../core/delivery-work.ts";
import type { SubscribedMark } from "../core/subscribed-mark.ts";
import { MARK_CHECK_EVERY_MS } from "./limits.ts";

export type CheckMarkDeps = {
  work: Pick<DeliveryWork, "dispatch">;
  mark: SubscribedMark;
  clock: Clock;
  newId: () => string;
  /** The mark could not be read or changed, and is so later. */
  onMarkFailure: (error: unknown) => void;
};

/**
 * Keeps the mark by which the consumer learns that somebody subscribes. Without a subscription it takes the mark away, by the token that
 * it read before it looked once more: a subscription of meanwhile has set another one. With one it makes sure, now and then, that the
 * mark is there: a table that was lost and made again has none.
 */
export function createCheckMark({ work, mark, clock, newId, onMarkFailure }: CheckMarkDeps) {
  let checkedAt = Number.NEGATIVE_INFINITY;
  /** @throws DatabaseError */
  return async function checkMark(subscriptions: number, deadline: number): Promise<void> {
    const now = clock().getTime();
    if (subscriptions > 0 && now < checkedAt + MARK_CHECK_EVERY_MS) return;
    try {
      const token = await mark.read();
      if (subscriptions > 0) {
        if (token === undefined) await mark.set(newId());
        checkedAt = now;
      } else if (token !== undefined) {
        const again = await work.dispatch(DISPATCH_MS, deadline);
        if (again.subscriptions === 0) await mark.clear(token);
      }
    } catch (error) {
      if (!(error instanceof AccessError)) throw error;
      onMarkFailure(error);
    }
  };
}
