import {
  type CloudWatchClient,
  type CompositeAlarm,
  type MetricAlarm,
  paginateDescribeAlarms,
} from "@aws-sdk/client-cloudwatch";
import type { AlarmReader, AlarmState } from "../../core/alarms.ts";

/**
 * Reads the alarms that notify a topic. It is the stack's own, so these are its alarms and no other's; a stack whose name begins alike
 * has alarms whose names begin alike. The parts of composite alarms notify nobody.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
 */
export function createAlarmReader({ client, topicArn }: { client: CloudWatchClient; topicArn: string }): AlarmReader {
  return {
    async read(deadline) {
      const stop = new AbortController();
      const timer = setTimeout(() => stop.abort(), Math.max(deadline - Date.now(), 1));
      try {
        const alarms: AlarmState[] = [];
        const pages = paginateDescribeAlarms(
          { client },
          { ActionPrefix: topicArn, AlarmTypes: ["MetricAlarm", "CompositeAlarm"] },
          { abortSignal: stop.signal },
        );
        for await (const { MetricAlarms: metric = [], CompositeAlarms: composite = [] } of pages)
          for (const each of [...metric, ...composite])
            if (each.AlarmActions?.includes(topicArn)) alarms.push(toState(each));
        if (alarms.length === 0) throw new Error("CloudWatch knows no alarm of this installation.");
        return alarms;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

const STATES: Readonly<Record<string, AlarmState["state"]>> = {
  OK: "ok",
  ALARM: "alarm",
  INSUFFICIENT_DATA: "insufficientData",
};

function toState(alarm: MetricAlarm | CompositeAlarm): AlarmState {
  const since = alarm.StateTransitionedTimestamp ?? alarm.StateUpdatedTimestamp;
  return {
    name: alarm.AlarmName ?? "",
    description: alarm.AlarmDescription,
    state: STATES[alarm.StateValue ?? ""] ?? "insufficientData",
    reason: alarm.StateReason ?? "",
    since: since?.getTime() ?? 0,
  };
}
