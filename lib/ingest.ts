import { Duration } from "aws-cdk-lib";
import { MathExpression } from "aws-cdk-lib/aws-cloudwatch";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { IngestEnvironment } from "../functions/adapters/lambda/environment-schemas.ts";
import { INGEST_TIMEOUT_SECONDS } from "../functions/core/function-limits.ts";
import { SQS_CALL_MS } from "../functions/core/queue-limits.ts";
import type { Access } from "./access.ts";
import { Alarm } from "./alarm.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import type { EventQueue } from "./event-queue.ts";
import type { StageConfig } from "./stage-config.ts";
import { SluiceFunction } from "./sluice-function.ts";
import type { StatusTable } from "./status-table.ts";

export type IngestProps = {
  readonly stage: StageConfig;
  readonly access: Access;
  readonly events: EventQueue;
  /** The table of the numbers of accepted events. */
  readonly table: StatusTable;
  /** The queue of the function `status`, which keeps the numbers. */
  readonly numbers: IQueue;
  readonly alarmTopic: AlarmTopic;
};

/** Receives events and puts them into the queue. It needs no database. */
export class Ingest extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { stage, access, events, table, numbers, alarmTopic }: IngestProps) {
    super(scope, id);
    const handler = new SluiceFunction<IngestEnvironment>(this, "Function", {
      name: "ingest",
      timeoutSeconds: INGEST_TIMEOUT_SECONDS,
      stage,
      environment: {
        ...access.keyCheckEnvironment(),
        QUEUE_URL: events.queue.queueUrl,
        STATUS_TABLE: table.name,
        STATUS_QUEUE_URL: numbers.queueUrl,
        UNKNOWN_TYPES: stage.unknownTypes,
        UNKNOWN_VERSIONS: stage.unknownVersions,
        RETENTION: stage.retention,
      },
    });
    access.grantKeyCheck(handler);
    events.queue.grantSendMessages(handler);
    table.grantProducer(handler);
    numbers.grantSendMessages(handler);
    this.function = handler;

    new Alarm(this, "ErrorsAlarm", {
      topic: alarmTopic,
      description: "Ingest crashes or times out.",
      runbook: "ingest-errors",
      metric: handler.metricErrors(),
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
    });
    new Alarm(this, "SchemaFailedAlarm", {
      topic: alarmTopic,
      description: "A schema of the catalog fails.",
      runbook: "schema-failed",
      metric: handler.metricOf("EventsSchemaFailed", "sum"),
    });
    new Alarm(this, "KeysStaleAlarm", {
      topic: alarmTopic,
      description: "Keys cannot be read; known ones go on for a quarter of an hour.",
      runbook: "keys-stale",
      metric: handler.metricOf("KeysStale", "sum"),
      evaluationPeriods: 5,
      datapointsToAlarm: 2,
    });
    new Alarm(this, "RefusedAlarm", {
      topic: alarmTopic,
      description: "Many events are refused as invalid.",
      runbook: "events-refused",
      metric: new MathExpression({
        expression: `IF(${REFUSED} >= ${REFUSED_EVENTS_MIN}, 100 * (${REFUSED}) / (FILL(accepted, 0) + ${REFUSED}), 0)`,
        usingMetrics: {
          accepted: handler.metricOf("EventsAccepted", "sum"),
          rejected: handler.metricOf("EventsRejected", "sum"),
          limited: handler.metricOf("EventsLimited", "sum"),
        },
      }),
      threshold: REFUSED_ALARM_PERCENT,
      period: Duration.minutes(15),
    });
    new Alarm(this, "LatencyAlarm", {
      topic: alarmTopic,
      description: "Ingest is slow.",
      runbook: "ingest-latency",
      // A request takes some ten milliseconds, and some hundred at a cold start. This long means that a call of SQS has
      // used up its share of the time, and was made again.
      metric: handler.metricDuration({ statistic: "p99" }),
      threshold: SQS_CALL_MS,
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
    });
  }
}

/** Events that a limit refused are valid: their clients send them again. */
const REFUSED = "rejected - FILL(limited, 0)";

/** So many and such a share of the events of a quarter of an hour: a producer's release, and not a typing error. */
const REFUSED_EVENTS_MIN = 100;
const REFUSED_ALARM_PERCENT = 5;
