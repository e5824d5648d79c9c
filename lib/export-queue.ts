import { Duration } from "aws-cdk-lib";
import { Queue, QueueEncryption, RedrivePermission } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import {
  DEAD_LETTER_RETENTION_DAYS,
  EXPORT_MAX_RECEIVE_COUNT,
  EXPORT_VISIBILITY_SECONDS,
  QUEUE_RETENTION_DAYS,
} from "../functions/core/queue-limits.ts";
import { Alarm } from "./alarm.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import type { StageConfig } from "./stage-config.ts";

export type ExportQueueProps = { readonly stage: StageConfig; readonly alarmTopic: AlarmTopic };

/** The queue of the steps of exports, and its dead-letter queue. */
export class ExportQueue extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string, { stage, alarmTopic }: ExportQueueProps) {
    super(scope, id);
    const deadLetters = new Queue(this, "DeadLetters", {
      ...SECURE,
      removalPolicy: stage.queueRemovalPolicy,
      retentionPeriod: Duration.days(DEAD_LETTER_RETENTION_DAYS),
    });
    this.queue = new Queue(this, "Steps", {
      ...SECURE,
      removalPolicy: stage.queueRemovalPolicy,
      retentionPeriod: Duration.days(QUEUE_RETENTION_DAYS),
      visibilityTimeout: Duration.seconds(EXPORT_VISIBILITY_SECONDS),
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: EXPORT_MAX_RECEIVE_COUNT },
      redriveAllowPolicy: { redrivePermission: RedrivePermission.DENY_ALL },
    });
    new Alarm(this, "DeadLettersAlarm", {
      topic: alarmTopic,
      description: "The step of an export could not be run.",
      runbook: "export-steps",
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ statistic: "max" }),
    });
  }
}

const SECURE = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true };
