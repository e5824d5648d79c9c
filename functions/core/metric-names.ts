/** Every metric, with its unit. Tenants, types and keys are never dimensions: each would be a metric that costs. */
export const METRICS = {
  Requests: "Count",
  EventsAccepted: "Count",
  EventsRejected: "Count",
  EventsUnchecked: "Count",
  EventsSchemaFailed: "Count",
  EventsStored: "Count",
  EventsDuplicate: "Count",
  EventsConflicting: "Count",
  EventsDeadLettered: "Count",
  MessagesFailed: "Count",
  ConsumerStopped: "Count",
  OldestFailedAgeSeconds: "Seconds",
} as const;

export type MetricName = keyof typeof METRICS;

/** Numbers of one request or batch, by metric. */
export type MetricCounts = Partial<Record<MetricName, number>>;
