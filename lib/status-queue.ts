import type { Construct } from "constructs";
import { STATUS_MAX_RECEIVE_COUNT, STATUS_VISIBILITY_SECONDS } from "../functions/core/queue-limits.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import type { StageConfig } from "./stage-config.ts";
import { StepsQueue } from "./steps-queue.ts";

export type StatusQueueProps = {
  readonly stage: StageConfig;
  readonly alarmTopic: AlarmTopic;
};

/** The queue of the function `status`. Apart from it, because functions that go before it send messages. */
export class StatusQueue extends StepsQueue {
  constructor(scope: Construct, id: string, props: StatusQueueProps) {
    super(scope, id, {
      ...props,
      step: "A message about numbers",
      runbook: "status-messages",
      visibilitySeconds: STATUS_VISIBILITY_SECONDS,
      maxReceiveCount: STATUS_MAX_RECEIVE_COUNT,
    });
  }
}
