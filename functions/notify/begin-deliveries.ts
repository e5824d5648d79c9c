import { RequestError } from "../core/errors.ts";
import type { SubscribedMark } from "../core/subscribed-mark.ts";
import type { Wakes } from "../core/wakes.ts";

export type BeginDeps = { wakes: Wakes; mark: Pick<SubscribedMark, "set">; newId: () => string };

/** Lets deliveries begin, or go on, after a change of a subscription. */
export function createBeginDeliveries({ wakes, mark, newId }: BeginDeps) {
  return { begin, letGo };

  /**
   * From the new mark on the consumer sends wake-ups, and this one is for what was stored before.
   * @param detail the answer to the caller where it fails
   * @throws RequestError `queue_unavailable`; AccessError
   */
  async function begin(detail: string, deadline: number): Promise<void> {
    await mark.set(newId());
    if (!(await wakes.send({}, 0, deadline))) throw new RequestError("queue_unavailable", detail);
  }

  /** Waits for a change that lets deliveries go. Where it ended too late, workers begin with those that it has let go. */
  async function letGo<T>(change: Promise<T>, deadline: number): Promise<T> {
    return change.catch(async (error: unknown) => {
      await wakes.send({}, 0, deadline);
      throw error;
    });
  }
}

export const CHANGED_WITHOUT_WAKE =
  "It is changed, and goes on with the next event that is stored. Send the request again after Retry-After to let it go on now.";
