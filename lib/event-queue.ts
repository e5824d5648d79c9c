import { Aws, Duration, Fn, Stack } from "aws-cdk-lib";
import { Queue, QueueEncryption, RedrivePermission } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import {
  DEAD_LETTER_RETENTION_DAYS,
  DEAD_LETTER_VISIBILITY_SECONDS,
  MAX_RECEIVE_COUNT,
  MESSAGE_MAX_BYTES,
  QUEUE_RETENTION_DAYS,
  QUEUE_VISIBILITY_SECONDS,
} from "../functions/core/queue-limits.ts";
import { Alarm } from "./alarm.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import type { StageConfig } from "./stage-config.ts";

/** An event this old means that the consumer does not keep up, or an outage of the database. */
export const AGE_ALARM_SECONDS = 900;

export type EventQueueProps = {
  readonly stage: StageConfig;
  readonly alarmTopic: AlarmTopic;
};

/** The queue between ingest and consume, and its dead-letter queue, which drain empties. */
export class EventQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, { stage, alarmTopic }: EventQueueProps) {
    super(scope, id);
    // The two queues refer to each other, so one must have a name that CloudFormation does not choose. With a part of the
    // stack's id, no other stack has it, nor one of the same name that is made after this one is deleted: SQS refuses
    // the name of a deleted queue for 60 seconds, and the name of a kept one for good.
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html
    const stackId = Fn.select(2, Fn.split("/", Aws.STACK_ID));
    const queueName = `${Stack.of(this).stackName}-events-${Fn.select(0, Fn.split("-", stackId))}`;
    this.deadLetters = new Queue(this, "DeadLetters", {
      ...SECURE,
      removalPolicy: stage.queueRemovalPolicy,
      retentionPeriod: Duration.days(DEAD_LETTER_RETENTION_DAYS),
      visibilityTimeout: Duration.seconds(DEAD_LETTER_VISIBILITY_SECONDS),
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

    // SQS leaves out messages that were received three times, and the age of a requeued one starts over: Consume has an
    // alarm for those.
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    new Alarm(this, "QueueAgeAlarm", {
      topic: alarmTopic,
      description: "The oldest event waits too long.",
      runbook: "queue-age",
      metric: this.queue.metricApproximateAgeOfOldestMessage({ statistic: "max" }),
      threshold: AGE_ALARM_SECONDS,
      evaluationPeriods: 3,
    });
  }
}

const SECURE = {
  encryption: QueueEncryption.SQS_MANAGED,
  enforceSSL: true,
  maxMessageSizeBytes: MESSAGE_MAX_BYTES,
};
