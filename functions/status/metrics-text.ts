import { QUEUES } from "../core/queue-depths.ts";
import { sumOf } from "./accounts.ts";
import type { Installation, State } from "./status.ts";

type Sample = { labels?: Readonly<Record<string, string>>; value: number | undefined };

/**
 * Writes the state in Prometheus's text format 0.0.4. A part that could not be read has no metrics, and `sluice_part_up` says so. Nothing
 * has a tenant as a label: a thousand tenants would be a thousand series of each metric.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export function toMetricsText({ ledger, queues, consumer }: State, installation: Installation): string {
  const isRead = (part: object) => ("unavailable" in part ? 0 : 1);
  const metrics = [
    metric("gauge", "sluice_info", "The installation; always 1.", [{ labels: installation, value: 1 }]),
    metric("gauge", "sluice_part_up", "Whether a part of this answer could be read.", [
      { labels: { part: "ledger" }, value: isRead(ledger) },
      { labels: { part: "queues" }, value: isRead(queues) },
      { labels: { part: "consumer" }, value: isRead(consumer) },
    ]),
  ];
  if (!("unavailable" in ledger)) {
    const sum = sumOf(ledger.accounts);
    const counter = (name: string, help: string, value: number) => metric("counter", name, help, [{ value }]);
    const gauge = (name: string, help: string, value: number | undefined) => metric("gauge", name, help, [{ value }]);
    metrics.push(
      counter("sluice_events_accepted_total", "Events that arrived or are known to be in the queue.", sum.accepted),
      counter("sluice_events_stored_total", "Events that are stored.", sum.stored),
      counter("sluice_events_copies_total", "Events whose key was stored already, with the same content.", sum.copies),
      counter(
        "sluice_events_conflicts_total",
        "Events whose key was stored already, with other content.",
        sum.conflicts,
      ),
      metric("gauge", "sluice_dead_letters", "Dead letters by state.", [
        { labels: { state: "open" }, value: sum.open },
        { labels: { state: "replayed" }, value: sum.replayed },
        { labels: { state: "discarded" }, value: sum.discarded },
      ]),
      gauge(
        "sluice_events_in_flight",
        "Events that are accepted and were in no count when it was taken.",
        sum.inFlight,
      ),
      gauge(
        "sluice_ledger_difference_events",
        "Accepted events less all counts; what is in flight, or a fault.",
        sum.difference,
      ),
      metric("gauge", "sluice_subscriptions", "Subscriptions by state.", [
        { labels: { state: "active" }, value: sum.active },
        { labels: { state: "disabled" }, value: sum.disabled },
      ]),
      gauge("sluice_deliveries_pending", "Deliveries that are not finished.", sum.pending),
      gauge(
        "sluice_ledger_taken_timestamp_seconds",
        "When the counts were taken from the database.",
        ledger.takenAt === undefined ? undefined : Date.parse(ledger.takenAt) / 1_000,
      ),
    );
  }
  if (!("unavailable" in queues)) {
    metrics.push(
      metric(
        "gauge",
        "sluice_queue_messages",
        "Messages of the installation's queues by state, as SQS last counted them.",
        QUEUES.flatMap((queue) =>
          (["visible", "inFlight", "delayed"] as const).map((state) => ({
            labels: { queue: snakeCase(queue), state: snakeCase(state) },
            value: queues[queue][state],
          })),
        ),
      ),
    );
  }
  if (!("unavailable" in consumer)) {
    const { lag, storedAt } = consumer;
    metrics.push(
      metric(
        "gauge",
        "sluice_consumer_lag_seconds",
        "Time from accepted to stored, of the oldest event of the last batch.",
        [{ value: lag && lag.lagMs / 1_000 }],
      ),
      metric("gauge", "sluice_consumer_lag_timestamp_seconds", "The end of that batch.", [
        { value: lag && lag.at / 1_000 },
      ]),
      metric("gauge", "sluice_last_store_timestamp_seconds", "When events were last stored.", [
        { value: storedAt === undefined ? undefined : storedAt / 1_000 },
      ]),
    );
  }
  return metrics.join("");
}

/** A metric with its samples; nothing where none has a value. */
function metric(type: "counter" | "gauge", name: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.flatMap(({ labels = {}, value }) => {
    if (value === undefined) return [];
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    return [`${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}\n`];
  });
  return lines.length === 0 ? "" : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

const escaped = (text: string) => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

const snakeCase = (name: string) => name.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
