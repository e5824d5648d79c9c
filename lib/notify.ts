import { Arn, ArnFormat, Stack } from "aws-cdk-lib";
import { Grant } from "aws-cdk-lib/aws-iam";
import { type IFunction, RecursiveLoop } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { type IQueue, Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { NotifyEnvironment } from "../functions/adapters/lambda/environment-schemas.ts";
import {
  NOTIFY_BATCH_MESSAGES,
  NOTIFY_MAX_CONCURRENCY,
  NOTIFY_TIMEOUT_SECONDS,
} from "../functions/core/function-limits.ts";
import { NOTIFY_VISIBILITY_SECONDS } from "../functions/core/queue-limits.ts";
import type { Access } from "./access.ts";
import { Alarm } from "./alarm.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import { databaseEnvironment, grantDataApi } from "./database.ts";
import type { DatabaseRoles } from "./database-roles.ts";
import type { EventQueue } from "./event-queue.ts";
import { SluiceFunction } from "./sluice-function.ts";
import type { StageConfig } from "./stage-config.ts";

export type NotifyProps = {
  readonly stage: StageConfig;
  readonly access: Access;
  readonly events: EventQueue;
  readonly roles: DatabaseRoles;
  /** The queue of the wake-ups. */
  readonly wakes: IQueue;
  readonly alarmTopic: AlarmTopic;
};

/** Subscriptions: the function that answers for them and delivers. */
export class Notify extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { stage, access, events, roles, wakes, alarmTopic }: NotifyProps) {
    super(scope, id);
    const { emailFrom, smtpUrl, notifyTopics = [], notifyQueues = [] } = stage;
    const handler = new SluiceFunction<NotifyEnvironment>(this, "Function", {
      name: "notify",
      timeoutSeconds: NOTIFY_TIMEOUT_SECONDS,
      // A wake-up that waits is sent again each quarter of an hour; Lambda would take that for a runaway loop and stop it. A notice
      // about a subscription is an event, of which each sink that fails makes four at most.
      // https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
      recursiveLoop: RecursiveLoop.ALLOW,
      stage,
      environment: {
        ...access.keyCheckEnvironment(),
        ...access.auditEnvironment(),
        ...databaseEnvironment(roles.writer),
        READER_SECRET_ARN: roles.reader.secretArn,
        QUEUE_URL: events.queue.queueUrl,
        WAKE_QUEUE_URL: wakes.queueUrl,
        QUEUE_VISIBILITY_SECONDS: String(NOTIFY_VISIBILITY_SECONDS),
        ...(emailFrom !== undefined && { EMAIL_FROM: emailFrom }),
        ...(smtpUrl !== undefined && { SMTP_URL: smtpUrl }),
        ...(notifyTopics.length > 0 && { NOTIFY_TOPIC_ARNS: notifyTopics.join(" ") }),
        ...(notifyQueues.length > 0 && { NOTIFY_QUEUE_URLS: notifyQueues.map((arn) => this.urlOf(arn)).join(" ") }),
      },
    });
    handler.addEventSource(
      new SqsEventSource(wakes, {
        batchSize: NOTIFY_BATCH_MESSAGES,
        maxConcurrency: NOTIFY_MAX_CONCURRENCY,
        reportBatchItemFailures: true,
      }),
    );
    wakes.grantSendMessages(handler);
    events.queue.grantSendMessages(handler);
    access.grantKeyCheck(handler);
    access.grantAudit(handler);
    grantDataApi(roles.writer, handler, ["ExecuteStatement"]);
    grantDataApi(roles.reader, handler, ["ExecuteStatement"]);
    this.grantSinks(handler, stage);
    this.function = handler;

    new Alarm(this, "ErrorsAlarm", {
      topic: alarmTopic,
      description:
        "The function that delivers events to subscribers crashes, times out, or is refused by the database.",
      runbook: "notify-errors",
      metric: handler.metricErrors(),
      evaluationPeriods: 60,
      datapointsToAlarm: 3,
    });
    new Alarm(this, "DisabledAlarm", {
      topic: alarmTopic,
      description: "A subscription was disabled, because its sink takes no more events or failed for five days.",
      runbook: "subscriptions-disabled",
      metric: handler.metricOf("SubscriptionsDisabled", "sum"),
    });
    new Alarm(this, "FailingAlarm", {
      topic: alarmTopic,
      description: "The sink of a subscription has failed for days, and will be disabled.",
      runbook: "subscriptions-failing",
      metric: handler.metricOf("SubscriptionsFailing", "sum"),
    });
    new Alarm(this, "FiltersAlarm", {
      topic: alarmTopic,
      description: "The database cannot apply the filter of a subscription, whose events wait.",
      runbook: "filters-failing",
      metric: handler.metricOf("FiltersFailing", "sum"),
      // A lone fault is tried again within a minute.
      evaluationPeriods: 60,
      datapointsToAlarm: 3,
    });
  }

  /** The sinks inside AWS: those that the stage names, and no others. */
  private grantSinks(grantee: SluiceFunction<NotifyEnvironment>, stage: StageConfig): void {
    const { emailFrom, smtpUrl, notifyTopics = [], notifyQueues = [] } = stage;
    for (const [index, arn] of notifyQueues.entries())
      Queue.fromQueueArn(this, `Sink${index}`, arn).grantSendMessages(grantee);
    if (notifyTopics.length > 0)
      Grant.addToPrincipal({ grantee, actions: ["sns:Publish"], resourceArns: [...notifyTopics] });
    if (emailFrom === undefined || smtpUrl !== undefined) return;
    // The sender is an identity of SES itself, or its domain is one.
    const identity = (resourceName: string) =>
      Stack.of(this).formatArn({ service: "ses", resource: "identity", resourceName });
    const resourceArns = [identity(emailFrom), identity(emailFrom.slice(emailFrom.lastIndexOf("@") + 1))];
    Grant.addToPrincipal({ grantee, actions: ["ses:SendEmail", "ses:SendRawEmail"], resourceArns });
  }

  /** The address of a queue, wherever it is. */
  private urlOf(arn: string): string {
    const { region, account, resource } = Arn.split(arn, ArnFormat.NO_RESOURCE_NAME);
    return `https://sqs.${region}.${Stack.of(this).urlSuffix}/${account}/${resource}`;
  }
}
