/** The limits of the feed. */

/** Events of a page, at most and where the request does not say. A thousand fit into a second of any follower. */
export const FEED_MAX_EVENTS = 1_000;
export const FEED_DEFAULT_EVENTS = 100;

/** The Data API returns 1 MiB, and the place of the page is in it too. One event always fits: as JSON it has some 400 KB. */
export const FEED_PAGE_MAX_BYTES = 900_000;

/** Longest wait for an event, in seconds: API Gateway ends a request after 29, of which the last read may need some. */
export const FEED_WAIT_MAX_SECONDS = 20;

/** While a caller waits, there is one look a second at the mark of stored events; at the database only after a new one. */
export const FEED_POLL_MS = 1_000;

/** Kept free for the last read of a wait, which takes some 20 ms where the database does not sleep. */
export const FEED_READ_RESERVE_MS = 2_000;

/** A filter that matches nothing is answered after this time, with a cursor that goes on. */
export const FEED_SCAN_MS = 5_000;

/** Rows that the first statement of a request looks at; each is a detoasted event of up to 256 KiB, so a second at worst. */
export const FEED_SCAN_FIRST_ROWS = 1_000;

/** Later statements look at twice as many, up to this number, while they take less than the time below. */
export const FEED_SCAN_MAX_ROWS = 16_000;
export const FEED_SCAN_STATEMENT_MS = 500;

/** An open transaction of a writer ends within 60 s; half of that is worth an alarm if it is seen again and again. */
export const HORIZON_AGE_ALARM_SECONDS = 30;
