import { Duration } from "aws-cdk-lib";
import { Queue, QueueEncryption, RedrivePermission } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { DEAD_LETTER_RETENTION_DAYS, QUEUE_RETENTION_DAYS } from "../functions/core/queue-limits.ts";
import { Alarm } from "./alarm.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import type { StageConfig } from "./stage-config.ts";

export type StepsQueueProps = {
  readonly stage: StageConfig;
  readonly alarmTopic: AlarmTopic;
  /** The name of a message, as the beginning of a sentence. */
  readonly step: string;
  /** Anchor of the section of docs/runbook.md about a message in the dead-letter queue. */
  readonly runbook: string;
  readonly visibilitySeconds: number;
  readonly maxReceiveCount: number;
};

/** The queue of the steps of jobs, and its dead-letter queue. */
export class StepsQueue extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string, { stage, alarmTopic, ...props }: StepsQueueProps) {
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
      visibilityTimeout: Duration.seconds(props.visibilitySeconds),
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: props.maxReceiveCount },
      redriveAllowPolicy: { redrivePermission: RedrivePermission.DENY_ALL },
    });
    new Alarm(this, "DeadLettersAlarm", {
      topic: alarmTopic,
      description: `${props.step} could not be run.`,
      runbook: props.runbook,
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ statistic: "max" }),
    });
  }
}

const SECURE = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true };
