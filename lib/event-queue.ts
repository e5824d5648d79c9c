import { Duration, Stack } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { Queue, QueueEncryption, RedrivePermission } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import {
  DEAD_LETTER_RETENTION_DAYS,
  MAX_RECEIVE_COUNT,
  MESSAGE_MAX_BYTES,
  QUEUE_RETENTION_DAYS,
  QUEUE_VISIBILITY_SECONDS,
} from "../functions/core/limits.ts";
import type { StageConfig } from "./stage-config.ts";

/** Events this old mean that the consumer does not keep up, or that the database is away. */
export const AGE_ALARM_SECONDS = 900;

/** The queue between the door and the consumer, and the dead-letter queue beside it. */
export class EventQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, { stage }: { readonly stage: StageConfig }) {
    super(scope, id);
    // The two queues name each other, so one of the names must be known beforehand.
    const queueName = `sluice-${stage.name}-events`;
    this.deadLetters = new Queue(this, "DeadLetters", {
      ...SECURE,
      removalPolicy: stage.queueRemovalPolicy,
      retentionPeriod: Duration.days(DEAD_LETTER_RETENTION_DAYS),
      queueName: `sluice-${stage.name}-dead-letters`,
      redriveAllowPolicy: {
        redrivePermission: RedrivePermission.BY_QUEUE,
        sourceQueues: [
          Queue.fromQueueArn(this, "Source", Stack.of(this).formatArn({ service: "sqs", resource: queueName })),
        ],
      },
    });
    this.queue = new Queue(this, "Events", {
      ...SECURE,
      removalPolicy: stage.queueRemovalPolicy,
      queueName,
      retentionPeriod: Duration.days(QUEUE_RETENTION_DAYS),
      visibilityTimeout: Duration.seconds(QUEUE_VISIBILITY_SECONDS),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: MAX_RECEIVE_COUNT },
      redriveAllowPolicy: { redrivePermission: RedrivePermission.DENY_ALL },
    });

    new Alarm(this, "DeadLettersAlarm", {
      alarmDescription: "There are dead letters. See docs/runbook.md#dead-letters.",
      metric: this.deadLetters.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(1),
        statistic: "max",
      }),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    // SQS leaves out messages that were received three times, and a copy begins anew: Consume watches those that failed.
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    new Alarm(this, "QueueAgeAlarm", {
      alarmDescription: "The oldest event waits too long. See docs/runbook.md#queue-age.",
      metric: this.queue.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(1), statistic: "max" }),
      threshold: AGE_ALARM_SECONDS,
      evaluationPeriods: 3,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }
}

const SECURE = {
  encryption: QueueEncryption.SQS_MANAGED,
  enforceSSL: true,
  maxMessageSizeBytes: MESSAGE_MAX_BYTES,
};
