import { EVENT_MAX_BYTES, KIB } from "./limits.ts";

/** The limits of subscriptions and deliveries. */

/** Subscriptions of one tenant: a claim and a dispatch look at each that has something to do. */
export const SUBSCRIPTIONS_MAX = 100;

export const SUBSCRIPTION_NAME_MAX_CHARACTERS = 100;
export const SINK_URL_MAX_CHARACTERS = 2_000;
/** The time for the check of a sink when it is given: mostly a look-up of its host. */
export const SINK_CHECK_MS = 5_000;
/** Headers of its own that a webhook sends, for example a token of the receiver. */
export const SINK_HEADERS_MAX = 10;
export const SINK_HEADER_MAX_CHARACTERS = 2_000;
export const EMAIL_TO_MAX = 10;

export const DELIVERY_BATCH_MAX = 100;
export const DELIVERY_RATE_MAX = 10_000;

/** Standard Webhooks asks for 15 to 30 s. */
export const DELIVERY_TIMEOUT_DEFAULT_MS = 15_000;
export const DELIVERY_TIMEOUT_MIN_MS = 1_000;
export const DELIVERY_TIMEOUT_MAX_MS = 30_000;

/**
 * The waits before the tries after the first, in seconds: ten tries over 75 h 35 min.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#deliverability-and-reliability
 */
export const RETRY_SCHEDULE_SECONDS = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400] as const;

/** `doubling`: the first wait, and the time after which nothing is tried again. */
export const RETRY_DOUBLING_FIRST_SECONDS = 5;
export const RETRY_DOUBLING_HOURS = 76;

/** Each wait is shorter or longer by up to this share, so that receivers do not get everything at once. */
export const RETRY_JITTER = 0.2;

/** `Retry-After` is kept up to here. */
export const RETRY_AFTER_MAX_HOURS = 24;

/** The circuit of a sink opens after so many failures in a row, or where more than half of so many failed in the window. */
export const CIRCUIT_FAILURES = 20;
export const CIRCUIT_WINDOW_SECONDS = 300;
export const CIRCUIT_WINDOW_MIN = 50;
/** An open circuit lets one delivery through each minute. */
export const CIRCUIT_PROBE_SECONDS = 60;

/** A subscription without one success for so long is disabled; notices come at these shares of the time. */
export const DISABLE_AFTER_HOURS = 120;
export const NOTICE_PERCENTS = [50, 70, 90, 100] as const;
/** Notices that are sent together: of a tenant's subscriptions all that one outage of their receiver makes. */
export const NOTICES_AT_ONCE = 100;

/** A rotated secret signs for so long beside the new one. */
export const SECRET_OVERLAP_DEFAULT_HOURS = 24;
export const SECRET_OVERLAP_MAX_HOURS = 168;
export const SECRETS_MAX = 3;
/** Standard Webhooks: 24 to 64 bytes. */
export const SECRET_BYTES = 32;

/** Days for which attempts are kept, in a partition a day; and finished deliveries. */
export const ATTEMPTS_KEPT_DAYS = 30;

/** Of an answer, so much is read, and so much is kept: of its text in UTF-8, redacted. */
export const RESPONSE_READ_MAX_BYTES = 20 * KIB;
export const RESPONSE_KEPT_MAX_BYTES = KIB;

/**
 * Deliveries of one claim, and of one subscription over all workers (or its batch where that is larger). A claim costs as much as
 * the rows of sixty deliveries before it has the first, and a subscription waits for its results to be written before it has more.
 */
export const CLAIM_MAX = 400;
export const CLAIM_MAX_OF_ONE = 100;
/**
 * Of a subscription whose last answer came so soon, a worker may have more: so it is sent while the results before are written. They all
 * begin within three seconds, and a lease is far longer.
 */
export const FAST_ANSWER_MS = 250;
export const CLAIM_MAX_OF_FAST = 600;
/** Deliveries that a worker has at once, begun or not, and the length of their events from which it claims no more. */
export const DELIVERIES_HELD = 800;
export const DELIVERIES_HELD_BYTES = 16 * 1024 * KIB;
/**
 * Requests at once in one worker; of them to one subscription, and to one whose last request failed or that has none yet. All of these
 * together have so many, beyond one of each: sinks that never answer leave room for the others.
 */
export const DELIVERIES_IN_FLIGHT = 100;
export const IN_FLIGHT_OF_ONE = 50;
export const IN_FLIGHT_OF_UNKNOWN = 20;
export const IN_FLIGHT_OF_ALL_UNKNOWN = 50;
/** Bytes of the events of one claim, which come in one result of the Data API; so a batch has no more. */
export const CLAIM_MAX_BYTES = 700 * KIB;
/** A claim ends so long after it: the longest timeout, and the time to write the result. */
export const CLAIM_LEASE_SECONDS = 45;

/** Events that a subscription dispatches in one transaction, and the time for one call of all subscriptions. */
export const DISPATCH_MAX_EVENTS = 1_000;
export const DISPATCH_MS = 5_000;
/**
 * The time of one statement that dispatches or redelivers. As a transaction it holds the horizon, and with it every follower of the
 * feed.
 */
export const DISPATCH_STATEMENT_MS = 250;
export const REDELIVER_STATEMENT_MS = 500;
/** Bytes of the filters of one statement: their conditions are some times as long, and a call of the Data API takes 4 MiB. */
export const DISPATCH_FILTERS_MAX_BYTES = 256 * KIB;
/** The wait where another worker has all that is to be dispatched. */
export const DISPATCH_PAUSE_MS = 20;

/** Events that a new subscription shows, of the last day, and the time in which the database looks for them. */
export const MATCHES_MAX = 10;
export const MATCHES_MS = 3_000;

export const SUBSCRIPTION_BODY_MAX_BYTES = 128 * KIB;
/** A filter, and an event that is tested by it. */
export const SUBSCRIPTION_TEST_MAX_BYTES = SUBSCRIPTION_BODY_MAX_BYTES + EVENT_MAX_BYTES;
/** The time for an answer, below API Gateway's 29 s; a round of deliveries of the same function has longer. */
export const SUBSCRIPTION_ANSWER_MS = 25_000;
export const SUBSCRIPTIONS_PAGE = 100;
export const ATTEMPTS_PAGE = 100;
export const FAILURE_GROUPS_MAX = 50;
/** Failed deliveries that one statement makes pending. */
export const REDELIVER_MAX = 1_000;
/** Deliveries that one statement frees, which waited for what somebody has changed, and the time of a request for all of them. */
export const FREE_MAX = 5_000;
export const FREE_MS = 15_000;
/** Redeliveries of one subscription that are not finished: people look after each. */
export const REDELIVERIES_MAX_RUNNING = 10;
export const REDELIVERIES_PAGE = 100;
/** HTTP statuses that a redelivery names, and deliveries that it is bounded to: its counts are integers of four bytes. */
export const REDELIVERY_CODES_MAX = 50;
export const REDELIVERY_LIMIT_MAX = 1_000_000_000;
