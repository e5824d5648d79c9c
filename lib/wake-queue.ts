import type { Construct } from "constructs";
import { NOTIFY_MAX_RECEIVE_COUNT, NOTIFY_VISIBILITY_SECONDS } from "../functions/core/queue-limits.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import type { StageConfig } from "./stage-config.ts";
import { StepsQueue } from "./steps-queue.ts";

export type WakeQueueProps = {
  readonly stage: StageConfig;
  readonly alarmTopic: AlarmTopic;
};

/** The queue of the wake-ups for the workers of notify. Apart from these, because the migrations, which go before them, send one too. */
export class WakeQueue extends StepsQueue {
  constructor(scope: Construct, id: string, props: WakeQueueProps) {
    super(scope, id, {
      ...props,
      step: "A wake-up of deliveries",
      runbook: "wake-ups",
      visibilitySeconds: NOTIFY_VISIBILITY_SECONDS,
      maxReceiveCount: NOTIFY_MAX_RECEIVE_COUNT,
    });
  }
}
