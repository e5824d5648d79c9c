/**
 * The limits of requests and answers. Other limits stand beside their owner: queue-limits.ts, database-limits.ts,
 * function-limits.ts, ../consume/limits.ts. A number has its unit in its name and its reason above it.
 */

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** One request is one Lambda invocation; a thousand small events are validated and packed well inside a second. */
export const REQUEST_MAX_EVENTS = 1_000;

/**
 * Request body after inflating. Lambda takes 6 MB per synchronous invocation and API Gateway hands bodies over in
 * base64 (4/3 of the size), so 4 MiB is the largest round figure that always fits.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export const REQUEST_MAX_BYTES = 4 * MIB;

/**
 * Values (members, elements, objects, arrays) in one request. Each costs time and memory, and `[{},{},…]` has a million
 * of them in 4 MiB; real events have one in every 30 bytes or fewer, so 4 MiB of them stay below half of this.
 */
export const REQUEST_MAX_VALUES = 300_000;

/** Levels of a whole body; far above what one event may have, far below what overflows a parser's stack. */
export const JSON_MAX_DEPTH = 1_000;

/** One event as stored JSON. Four fit in one SQS message of 1 MiB and one always fits in a Data API call of 4 MiB. */
export const EVENT_MAX_BYTES = 256 * KIB;

/** Levels of arrays and objects of a whole event, itself included; deep nesting overflows the stack of every recursive reader. */
export const EVENT_MAX_DEPTH = 64;

/** Digits before and after the point of one number when written out; doubles need at most 309 and 1,074. */
export const NUMBER_MAX_DIGITS = 1_100;

/** `tenant`, `id` and `source` form a unique key, and a Postgres B-tree entry may have 2,704 bytes (1/3 page). */
export const TENANT_MAX_BYTES = 64;
export const ID_MAX_BYTES = 512;
export const SOURCE_MAX_BYTES = 1_024;

/** Longest names seen in the wild (reverse DNS plus version) stay below half of this. */
export const TYPE_MAX_BYTES = 256;

/** URIs and free text; the usual bound of proxies and browsers for one URI is 2 KB. */
export const SUBJECT_MAX_BYTES = 1_024;
export const DATASCHEMA_MAX_BYTES = 2_048;
export const DATACONTENTTYPE_MAX_BYTES = 256;

/** A time of an event or of a filter; PostgreSQL fails on texts of more than some 150 characters. */
export const TIME_MAX_CHARACTERS = 64;

/**
 * CloudEvents recommends names of at most 20 characters, but does not require it, and real producers use longer ones:
 * Knative's `knativekafkapartition` has 21, Debezium's `iodebeziumtxtotalorder` 22.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#attribute-naming-convention
 */
export const EXTENSION_NAME_MAX_CHARACTERS = 64;
export const EXTENSIONS_MAX = 32;
export const EXTENSION_VALUE_MAX_BYTES = 1_024;

/** More errors would bury the first, and a hostile event could make the answer larger than the request. */
export const VERDICT_MAX_ERRORS = 20;

/** Longest path of an error in a verdict; a hostile key may be as long as the body. */
export const FAULT_PATH_MAX_CHARACTERS = 256;

/** Sources that are named when an id is ambiguous. */
export const AMBIGUOUS_MAX_SOURCES = 20;

/**
 * A longer answer has only the first error of each event. Lambda drops an answer over 6 MB, and then the client would not
 * know that its events are enqueued.
 */
export const ANSWER_MAX_BYTES = 4 * MIB;

/** Throttle of POST /events, requests a second and burst; below the account's default of 10,000 and 5,000. */
export const API_RATE_LIMIT = 2_000;
export const API_BURST_LIMIT = 1_000;

/**
 * The part of this rate and burst that the routes of a function have together, so that load is shed in an order: queries
 * before ingest. A flood of queries takes at most the sum of the others from the account's throttle, and a reader can wait.
 */
export const API_SHARES = {
  ingest: 1,
  /** Each may wait for the database; some hundred functions at 100 ms. */
  query: 0.24,
  /** Changes of keys and tenants, which people and deployments make. */
  access: 0.06,
  /** Jobs, which people start; and their progress, which commands ask for every second. */
  export: 0.04,
  replay: 0.04,
  /** Subscriptions, which people make and look after. */
  notify: 0.07,
  /** A few numbers, which a scraper reads every 15 seconds and people by hand. */
  status: 0.04,
  /** The operator's page: its files, which a browser keeps, and the sign-in. */
  console: 0.06,
  /** A plan, which people read by hand, and jobs, which they start. */
  retain: 0.02,
  /** A page of documents and schemas, which clients read once. */
  "api-docs": 0.03,
};

/**
 * Requests a second, and burst, of each method of a path that has no route: the preflights of browsers (one for each
 * address in two hours), HEAD, and methods that are answered with 405.
 */
export const API_OTHER_METHODS_LIMIT = 100;

/** Time for which a browser may use the answer to a preflight; Chrome takes no more than two hours. */
export const PREFLIGHT_MAX_AGE_SECONDS = 7_200;

/** The wait that a client is asked for when the queue or the database did not answer. */
export const RETRY_AFTER_SECONDS = 5;
