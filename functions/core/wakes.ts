/**
 * The message that wakes workers. `until`: it waits until then, in the queue alone. `tries`: so many wake-ups in a row found that they
 * can only wait, for an outage, an open transaction or a filter that fails; it sets the wait for the next one. `isRepeated`: an earlier round may have planned
 * a wake-up and not sent it.
 */
export type Wake = { until?: string | undefined; tries?: number | undefined; isRepeated?: true | undefined };

/** Sends wake-ups. Never throws. */
export type Wakes = {
  /** Returns whether the queue confirmed it. */
  send(wake: Wake, delaySeconds: number, deadline: number): Promise<boolean>;
};
