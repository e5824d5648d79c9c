/** The clocks of two functions differ by less. */
const MARGIN_MS = 5_000;

/** The end of a step's hold on its job: the step ends with its function, at `until`. */
export const leaseUntil = (until: number): string => new Date(until + MARGIN_MS).toISOString();
