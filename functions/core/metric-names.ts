/** Every metric, by the name that CloudWatch and the log lines have. */
export const metricNames = {
  requests: "Requests",
  eventsAccepted: "EventsAccepted",
  eventsRejected: "EventsRejected",
  eventsStored: "EventsStored",
  eventsDuplicate: "EventsDuplicate",
  eventsConflicting: "EventsConflicting",
  eventsDeadLettered: "EventsDeadLettered",
  messagesFailed: "MessagesFailed",
  consumerStopped: "ConsumerStopped",
  oldestFailedAgeSeconds: "OldestFailedAgeSeconds",
} as const;

export type MetricName = (typeof metricNames)[keyof typeof metricNames];

/** Numbers of one request or batch, by the metric's name. */
export type MetricCounts = Partial<Record<MetricName, number>>;
