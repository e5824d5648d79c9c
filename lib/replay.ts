import { Arn, ArnFormat, Stack } from "aws-cdk-lib";
import { type IFunction, RecursiveLoop } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { type IQueue, Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { ReplayEnvironment } from "../functions/adapters/lambda/environment-schemas.ts";
import { REPLAY_TIMEOUT_SECONDS } from "../functions/core/function-limits.ts";
import { REPLAY_MAX_RECEIVE_COUNT, REPLAY_VISIBILITY_SECONDS } from "../functions/core/queue-limits.ts";
import { REPLAY_MAX_CONCURRENCY } from "../functions/core/replay-limits.ts";
import type { Access } from "./access.ts";
import { Alarm } from "./alarm.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import { type Database, databaseEnvironment, grantDataApi } from "./database.ts";
import type { EventQueue } from "./event-queue.ts";
import { SluiceFunction } from "./sluice-function.ts";
import type { StageConfig } from "./stage-config.ts";
import { StepsQueue } from "./steps-queue.ts";

export type ReplayProps = {
  readonly stage: StageConfig;
  readonly access: Access;
  readonly events: EventQueue;
  readonly database: Database;
  /** The queue of the function `status`, which keeps the numbers. */
  readonly numbers: IQueue;
  readonly alarmTopic: AlarmTopic;
};

/** Replays and discards of dead letters: the queue of the steps, and the function that does them. */
export class Replay extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { stage, access, events, database, numbers, alarmTopic }: ReplayProps) {
    super(scope, id);
    const { queue } = new StepsQueue(this, "Queue", {
      stage,
      alarmTopic,
      step: "The step of a replay",
      runbook: "replay-steps",
      visibilitySeconds: REPLAY_VISIBILITY_SECONDS,
      maxReceiveCount: REPLAY_MAX_RECEIVE_COUNT,
    });
    const { replayQueues = [] } = stage;
    const handler = new SluiceFunction<ReplayEnvironment>(this, "Function", {
      name: "replay",
      timeoutSeconds: REPLAY_TIMEOUT_SECONDS,
      // Each step sends the message of the next one; Lambda would take that for a runaway loop and stop it. A replayed event
      // that is refused again comes here only when somebody asks for that.
      // https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
      recursiveLoop: RecursiveLoop.ALLOW,
      stage,
      environment: {
        ...access.keyCheckEnvironment(),
        ...access.auditEnvironment(),
        ...databaseEnvironment(database),
        QUEUE_URL: events.queue.queueUrl,
        STEPS_QUEUE_URL: queue.queueUrl,
        STATUS_QUEUE_URL: numbers.queueUrl,
        ...(replayQueues.length > 0 && { REPLAY_QUEUE_URLS: replayQueues.map((arn) => this.urlOf(arn)).join(" ") }),
        UNKNOWN_TYPES: stage.unknownTypes,
        UNKNOWN_VERSIONS: stage.unknownVersions,
      },
    });
    handler.addEventSource(
      new SqsEventSource(queue, {
        batchSize: 1,
        maxConcurrency: REPLAY_MAX_CONCURRENCY,
        reportBatchItemFailures: true,
      }),
    );
    queue.grantSendMessages(handler);
    events.queue.grantSendMessages(handler);
    numbers.grantSendMessages(handler);
    for (const [index, arn] of replayQueues.entries())
      Queue.fromQueueArn(this, `Other${index}`, arn).grantSendMessages(handler);
    access.grantKeyCheck(handler);
    access.grantAudit(handler);
    grantDataApi(database, handler, ["ExecuteStatement"]);
    this.function = handler;

    new Alarm(this, "ErrorsAlarm", {
      topic: alarmTopic,
      description: "The function that replays dead letters crashes or times out.",
      runbook: "replay-errors",
      metric: handler.metricErrors(),
      evaluationPeriods: 60,
      datapointsToAlarm: 3,
    });
    new Alarm(this, "FailedAlarm", {
      topic: alarmTopic,
      description: "A replay or discard ended before it had done everything.",
      runbook: "replay-failed",
      metric: handler.metricOf("ReplaysFailed", "sum"),
    });
  }

  /** The address of a queue, wherever it is. */
  private urlOf(arn: string): string {
    const { region, account, resource } = Arn.split(arn, ArnFormat.NO_RESOURCE_NAME);
    return `https://sqs.${region}.${Stack.of(this).urlSuffix}/${account}/${resource}`;
  }
}
