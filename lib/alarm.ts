import { Duration } from "aws-cdk-lib";
import {
  Alarm as CloudWatchAlarm,
  ComparisonOperator,
  type MathExpression,
  type Metric,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { Construct } from "constructs";
import type { AlarmTopic } from "./alarm-topic.ts";

export type AlarmProps = {
  /** @default none: the alarm is part of a composite one, which notifies */
  readonly topic?: AlarmTopic;
  /** The event behind the alarm, as one sentence. */
  readonly description: string;
  /** Anchor of the section of docs/runbook.md that says what to do. */
  readonly runbook: string;
  /** The metrics of an expression take the period of the alarm. */
  readonly metric: Metric | MathExpression;
  /** Length of a datapoint. @default one minute */
  readonly period?: Duration;
  /** The alarm counts datapoints at or above this. @default 1 */
  readonly threshold?: number;
  /** Datapoints that the alarm looks back on. @default 1 */
  readonly evaluationPeriods?: number;
  /** The number of them that must reach the threshold. @default all */
  readonly datapointsToAlarm?: number;
  /** True for a metric that is reported only when it changes: without a datapoint the alarm stays as it is. @default false */
  readonly isKeptWithoutData?: boolean;
};

/** An alarm that notifies the stack's topic and names its section of the runbook. A minute without data is a good one, unless the metric says otherwise. */
export class Alarm extends CloudWatchAlarm {
  constructor(scope: Construct, id: string, props: AlarmProps) {
    super(scope, id, {
      alarmDescription: `${props.description} See docs/runbook.md#${props.runbook}.`,
      metric: props.metric.with({ period: props.period ?? Duration.minutes(1) }),
      threshold: props.threshold ?? 1,
      evaluationPeriods: props.evaluationPeriods ?? 1,
      datapointsToAlarm: props.datapointsToAlarm,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: props.isKeptWithoutData ? TreatMissingData.IGNORE : TreatMissingData.NOT_BREACHING,
    });
    if (props.topic !== undefined) this.addAlarmAction(new SnsAction(props.topic));
  }
}
