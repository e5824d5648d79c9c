import { Stack } from "aws-cdk-lib";
import { ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import type { Construct } from "constructs";
import type { StageConfig } from "./stage-config.ts";

/** The topic that every alarm of the stack notifies, with the stage's e-mail address as a subscriber. */
export class AlarmTopic extends Topic {
  constructor(scope: Construct, id: string, { stage }: { readonly stage: StageConfig }) {
    super(scope, id, { enforceSSL: true });
    // The TLS policy replaces the topic's default one, which lets alarms of the account publish.
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
    const { account } = Stack.of(this);
    this.grantPublish(
      new ServicePrincipal("cloudwatch.amazonaws.com", {
        conditions: { StringEquals: { "aws:SourceAccount": account } },
      }),
    );
    if (stage.alarmEmail !== undefined) this.addSubscription(new EmailSubscription(stage.alarmEmail));
  }
}
