import type { FunctionName } from "./functions.ts";

/**
 * Every metric, with its unit. Tenants, types and keys are never dimensions: each would be a metric that costs. Lambda counts the
 * requests itself, as invocations.
 */
export const METRICS = {
  /** Requests that were answered with a 5XX; one that ended its function is an error of Lambda instead. */
  RequestsFailed: "Count",
  KeysStale: "Count",
  EventsAccepted: "Count",
  EventsRejected: "Count",
  EventsUnchecked: "Count",
  /** Valid events that a limit of the tenant or the key did not let pass. */
  EventsLimited: "Count",
  /** Requests whose limits one process decided alone, because the table of the limits did not answer. */
  LimitsLocal: "Count",
  EventsSchemaFailed: "Count",
  EventsStored: "Count",
  EventsDuplicate: "Count",
  EventsConflicting: "Count",
  /** Events that an erasure keeps out. */
  EventsErased: "Count",
  EventsDeadLettered: "Count",
  /** Dead letters that were recorded in their table, or opened again there. */
  DeadLettersRecorded: "Count",
  /** Open dead letters after a change of their number, counted up to OPEN_DEAD_LETTERS_MAX. */
  OpenDeadLetters: "Count",
  /** Accepted events of which nobody knows what became of them, as the last snapshot of the ledger shows. */
  LedgerDifference: "Count",
  MessagesFailed: "Count",
  ConsumerStopped: "Count",
  OldestFailedAgeSeconds: "Seconds",
  /** The time since the acceptance of the oldest event of a batch, when the batch ended: stored, or delivered again. */
  StoreLagSeconds: "Seconds",
  /** Queries that were refused because the consumer lags. */
  QueriesShed: "Count",
  ExportsFailed: "Count",
  /** Replays and discards that ended without having done everything. */
  ReplaysFailed: "Count",
  /** Restores that ended without having read everything. */
  RestoresFailed: "Count",
  /** Erasures that ended without having erased everything. */
  ErasuresFailed: "Count",
  /** Deliveries that were made of events; their attempts that delivered, that are made again, and that were the last. */
  DeliveriesMatched: "Count",
  DeliveriesDelivered: "Count",
  DeliveriesRetried: "Count",
  DeliveriesFailed: "Count",
  /** The time between match and first attempt of the oldest delivery of a round. */
  DeliveryLagSeconds: "Seconds",
  /** Notices that were sent: of subscriptions that were disabled, and of those that fail and will be. */
  SubscriptionsDisabled: "Count",
  SubscriptionsFailing: "Count",
  /** Subscriptions and redeliveries whose filter the database could not apply in a round: a fault of ours. */
  FiltersFailing: "Count",
  /** Hours, tenants, types and fields of yesterday whose rollups are not what the events say. */
  RollupsDiffering: "Count",
  /** At the beginning of a run of retention: the days by which the oldest one is late to be dropped, and to be archived. */
  RetentionDaysBehind: "Count",
  ArchiveDaysBehind: "Count",
  /** Of the days ahead, those without tables for events. */
  PartitionDaysMissing: "Count",
  /** The time for which an open transaction has held the feed back, as a reader of it saw. */
  HorizonAgeSeconds: "Seconds",
} as const;

export type MetricName = keyof typeof METRICS;

/** Gauges of the whole stage, which several functions report: they have no dimension of a function. */
export const METRICS_OF_STAGE: ReadonlySet<MetricName> = new Set(["OpenDeadLetters"]);

/** Gauges that go back to zero, so a zero is reported. A count of nothing is in no line. */
export const METRICS_WITH_ZERO: ReadonlySet<MetricName> = new Set([
  "OpenDeadLetters",
  "LedgerDifference",
  "StoreLagSeconds",
  "RetentionDaysBehind",
  "ArchiveDaysBehind",
  "PartitionDaysMissing",
]);

/**
 * Metrics that ordinary lines of a function have: a metric filter of its log group extracts them (lib/metric-filters.ts). Any other
 * metric brings CloudWatch's directive in its line, which would be a third of an ordinary one (docs/decisions/0012).
 */
export const FILTERED_METRICS: Partial<Record<FunctionName, readonly MetricName[]>> = {
  ingest: ["EventsAccepted", "EventsUnchecked"],
  consume: ["EventsStored", "StoreLagSeconds"],
};

/** Numbers of one request or batch, by metric. */
export type MetricCounts = Partial<Record<MetricName, number>>;
