/** The limits of answers that a client may keep. */

/** A range is settled where it ends so long before the oldest open transaction began: its events are stored, but for late ones. */
export const SETTLED_MARGIN_MS = 60_000;

/** A client may use an answer about a settled range for so long without asking; a late event shows up after it. */
export const SETTLED_MAX_AGE_SECONDS = 300;
