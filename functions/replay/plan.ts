import { type Choice, choose, type Criteria } from "./choose.ts";
import type { DeadLetterMessage } from "./dead-letter-message.ts";

export type Plan = {
  /** Chooses events of one more message, as many as the limit leaves. */
  add(message: DeadLetterMessage): Choice;
  /** Tells whether the limit is reached. */
  isFull(): boolean;
};

/** Plans a replay message by message, until `limit` events are chosen. A dry run and a run use the same plan. */
export function createPlan({ limit, ...criteria }: Criteria & { limit: number }): Plan {
  let left = limit;
  return {
    add(message) {
      const choice = choose(message, criteria);
      const chosen = choice.chosen.slice(0, Math.max(left, 0));
      left -= chosen.length;
      return { ...choice, chosen };
    },
    isFull: () => left <= 0,
  };
}
