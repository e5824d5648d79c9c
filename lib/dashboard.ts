import { Aws, Duration, Stack } from "aws-cdk-lib";
import type { RestApi } from "aws-cdk-lib/aws-apigateway";
import {
  Alarm,
  AlarmStatusWidget,
  CompositeAlarm,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IAlarm,
  type IMetric,
  type IWidget,
  SingleValueWidget,
} from "aws-cdk-lib/aws-cloudwatch";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { FunctionName } from "../functions/core/functions.ts";
import type { MetricName } from "../functions/core/metric-names.ts";
import type { Database } from "./database.ts";
import { AGE_ALARM_SECONDS, type EventQueue } from "./event-queue.ts";
import { ACCEPT_OBJECTIVE, failedShare, oldestEvent, READABLE_SECONDS } from "./objectives.ts";
import { ownMetric } from "./own-metric.ts";
import type { StageConfig } from "./stage-config.ts";

export type DashboardProps = {
  readonly stage: StageConfig;
  readonly api: RestApi;
  readonly events: EventQueue;
  readonly database: Database;
  readonly functions: Record<
    "ingest" | "consume" | "drain" | "query" | "export" | "replay" | "notify" | "status" | "access" | "migrate",
    IFunction
  >;
};

/**
 * One page for the operator: alarms and the numbers that are asked for first, then a row for each function in the order of an
 * event's way, and what costs money. Made after everything else, because it shows every alarm of the stack.
 */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    const { api, database, events, functions, stage } = props;
    const own = (service: FunctionName, name: MetricName, statistic = "sum") =>
      ownMetric(this, stage, service, name, statistic);
    const sums = (service: FunctionName, ...names: MetricName[]) => names.map((name) => own(service, name));
    const errors = (...names: (keyof DashboardProps["functions"])[]) =>
      names.map((name) => functions[name].metricErrors({ label: `Errors of ${name}` }));
    const spent = (name: keyof DashboardProps["functions"]) =>
      functions[name].metricDuration({ statistic: "sum", label: `Milliseconds of ${name}` });
    const oldest = oldestEvent(this, stage, events.queue);
    const failed = failedShare(this, stage, functions.ingest, 1);

    new CloudWatchDashboard(this, "Page", {
      // Dashboards of all regions of an account share their names.
      dashboardName: `${Stack.of(this).stackName}-${Aws.REGION}`,
      defaultInterval: Duration.hours(3),
      widgets: [
        [new AlarmStatusWidget({ title: "Alarms", alarms: alarmsOf(Stack.of(this)), width: FULL_WIDTH, height: 4 })],
        [
          new SingleValueWidget({
            title: "In the time shown",
            width: FULL_WIDTH,
            height: 3,
            setPeriodToTimeRange: true,
            metrics: [
              ...sums("ingest", "EventsAccepted", "EventsRejected"),
              ...sums("consume", "EventsStored"),
              oldest,
              own("drain", "OpenDeadLetters", "max"),
              own("status", "LedgerDifference", "max"),
              ...sums("notify", "DeliveriesDelivered", "DeliveriesFailed"),
            ],
          }),
        ],
        row(
          graph("ingest: events", sums("ingest", "EventsAccepted", "EventsRejected", "EventsLimited")),
          graph("ingest: failed requests, %", [failed], { lines: { objective: 100 * (1 - ACCEPT_OBJECTIVE) } }),
          graph("ingest: milliseconds, p99", [functions.ingest.metricDuration({ statistic: "p99", label: "p99" })]),
        ),
        row(
          graph("consume: events", sums("consume", "EventsStored", "EventsDuplicate", "EventsConflicting")),
          graph("consume: seconds from acceptance to row", [oldest], {
            lines: { objective: READABLE_SECONDS, alarm: AGE_ALARM_SECONDS },
          }),
          graph("queue: messages", [
            events.queue.metricApproximateNumberOfMessagesVisible({ label: "Waiting", statistic: "max" }),
            events.queue.metricApproximateNumberOfMessagesNotVisible({ label: "In flight", statistic: "max" }),
          ]),
          graph("consume: failures", [
            ...errors("consume"),
            functions.consume.metricThrottles({ label: "Throttles of consume" }),
            own("consume", "MessagesFailed"),
          ]),
        ),
        row(
          graph("drain: dead letters", [own("drain", "OpenDeadLetters", "max"), own("drain", "DeadLettersRecorded")]),
          graph("drain: messages and errors", [
            events.deadLetters.metricApproximateNumberOfMessagesVisible({
              label: "Not recorded yet",
              statistic: "max",
            }),
            ...errors("drain"),
          ]),
          graph("query: requests", [
            functions.query.metricInvocations({ label: "Requests" }),
            ...sums("query", "RequestsFailed", "QueriesShed"),
          ]),
          graph("query: milliseconds, and the feed held back", [functions.query.metricDuration({ statistic: "p99" })], {
            right: [own("query", "HorizonAgeSeconds", "max")],
          }),
        ),
        row(
          graph(
            "notify: deliveries",
            sums("notify", "DeliveriesMatched", "DeliveriesDelivered", "DeliveriesRetried", "DeliveriesFailed"),
          ),
          graph("notify: seconds to the first attempt", [own("notify", "DeliveryLagSeconds", "max")]),
          graph("notify: failures", [
            ...sums("notify", "SubscriptionsFailing", "SubscriptionsDisabled"),
            ...errors("notify"),
          ]),
          graph("jobs: failures", [
            ...sums("export", "ExportsFailed"),
            ...sums("replay", "ReplaysFailed"),
            ...errors("export", "replay"),
          ]),
        ),
        row(
          graph("cost: requests and messages", [
            api.metricCount({ label: "Requests to the API" }),
            events.queue.metricNumberOfMessagesSent({ label: "Messages" }),
          ]),
          graph("cost: functions", [spent("ingest"), spent("consume"), spent("notify")]),
          ...(database.capacity === undefined ? [] : [graph("cost: ACU of the database", [database.capacity])]),
          graph("API: answers with 5XX, and errors of other functions", [
            api.metricServerError({ label: "Answers with 5XX of the API" }),
            ...errors("status", "access", "migrate"),
          ]),
        ),
      ],
    });
  }
}

const FULL_WIDTH = 24;

/** Widgets beside each other, over the whole width. */
function row(...graphs: ((width: number) => IWidget)[]): IWidget[] {
  return graphs.map((graph) => graph(FULL_WIDTH / graphs.length));
}

type GraphOptions = {
  readonly right?: IMetric[];
  /** Horizontal lines, by their labels. */
  readonly lines?: Record<string, number>;
};

const graph =
  (title: string, left: IMetric[], { right = [], lines = {} }: GraphOptions = {}) =>
  (width: number): IWidget =>
    new GraphWidget({
      title,
      left,
      right,
      width,
      leftYAxis: { min: 0 },
      leftAnnotations: Object.entries(lines).map(([label, value]) => ({ label, value })),
    });

/** Every alarm that notifies; the parts of composite ones do not. */
function alarmsOf(stack: Stack): IAlarm[] {
  const all = stack.node.findAll();
  const composite = all.filter((each) => each instanceof CompositeAlarm);
  const parts = new Set(composite.flatMap(({ node }) => (node.scope === undefined ? [] : node.scope.node.children)));
  return [...all.filter((each) => each instanceof Alarm && !parts.has(each)), ...composite] as IAlarm[];
}
