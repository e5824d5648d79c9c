import { MathExpression } from "aws-cdk-lib/aws-cloudwatch";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { AlarmTopic } from "./alarm-topic.ts";
import { BurnRateAlarm, minutesOfWindow, wholeWindow } from "./burn-rate-alarm.ts";
import { ownMetric } from "./own-metric.ts";
import type { StageConfig } from "./stage-config.ts";

export type ObjectivesProps = {
  readonly stage: StageConfig;
  readonly ingest: IFunction;
  readonly events: IQueue;
  readonly alarmTopic: AlarmTopic;
};

/** The service level objectives, each with alarms on its error budget of 30 days. */
export class Objectives extends Construct {
  constructor(scope: Construct, id: string, { stage, ingest, events, alarmTopic: topic }: ObjectivesProps) {
    super(scope, id);
    new BurnRateAlarm(this, "Accept", {
      topic,
      description: "Too many requests with events fail.",
      runbook: "accept-objective",
      inWindow: (window) => ({
        ...wholeWindow(window),
        metric: failedShare(this, stage, ingest, window.isLong ? FAILED_REQUESTS_MIN : 1),
        threshold: percent(window.burnRate * (1 - ACCEPT_OBJECTIVE)),
      }),
    });
    new BurnRateAlarm(this, "Readable", {
      topic,
      description: "Events are readable too late in too many minutes.",
      runbook: "readable-objective",
      inWindow: (window) => ({
        ...minutesOfWindow(window, 1 - READABLE_OBJECTIVE),
        metric: oldestEvent(this, stage, events),
        threshold: READABLE_SECONDS,
      }),
    });
  }
}

/** The percentage of requests that ingest did not answer, or answered with a 5XX; zero while fewer than `least` failed. */
export function failedShare(scope: Construct, stage: StageConfig, ingest: IFunction, least: number): MathExpression {
  const failed = "FILL(crashed, 0) + FILL(throttled, 0) + FILL(refused, 0)";
  return new MathExpression({
    label: "Failed requests, %",
    expression: `IF(${failed} >= ${least}, 100 * (${failed}) / (FILL(invoked, 0) + FILL(throttled, 0)), 0)`,
    usingMetrics: {
      crashed: ingest.metricErrors(),
      throttled: ingest.metricThrottles(),
      refused: ownMetric(scope, stage, "ingest", "RequestsFailed", "sum"),
      // Lambda counts an invocation that it throttles in none of the others.
      invoked: ingest.metricInvocations(),
    },
  });
}

/**
 * Seconds since the acceptance of the oldest event that a batch had, or that waits. SQS leaves out messages that were received
 * three times, and the consumer those that it does not receive.
 */
export function oldestEvent(scope: Construct, stage: StageConfig, events: IQueue): MathExpression {
  return new MathExpression({
    label: "Oldest event, s",
    expression: "IF(FILL(lag, 0) > FILL(waiting, 0), FILL(lag, 0), FILL(waiting, 0))",
    usingMetrics: {
      lag: ownMetric(scope, stage, "consume", "StoreLagSeconds", "max"),
      waiting: events.metricApproximateAgeOfOldestMessage({ statistic: "max" }),
    },
  });
}

/** The share of requests that are answered, and not with a 5XX: some 43 minutes of an outage in 30 days. */
export const ACCEPT_OBJECTIVE = 0.999;

/** The share of minutes in which each event that is stored, or waits, was accepted less than READABLE_SECONDS before. */
export const READABLE_OBJECTIVE = 0.995;

/** Events are stored within one or two seconds, the first ones after a pause of the database within some 20. */
export const READABLE_SECONDS = 60;

/** In a quiet hour a few failed requests are a large share, and no alarm: clients send them again. */
export const FAILED_REQUESTS_MIN = 10;

const percent = (share: number): number => Number((100 * share).toFixed(6));
