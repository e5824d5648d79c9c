import { Duration } from "aws-cdk-lib";
import { AlarmRule, AlarmState, CompositeAlarm } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { Construct } from "constructs";
import { Alarm, type AlarmProps } from "./alarm.ts";
import type { AlarmTopic } from "./alarm-topic.ts";

/** A time over which an error budget is spent. */
export type BurnWindow = {
  readonly minutes: number;
  /** The budget is spent so many times faster than it lasts the month. */
  readonly burnRate: number;
  /** The long window of its pair says that it matters, the short one that it goes on. */
  readonly isLong: boolean;
};

export type BurnRateAlarmProps = {
  readonly topic: AlarmTopic;
  /** The objective that is missed, as one sentence. */
  readonly description: string;
  readonly runbook: string;
  /** The alarm on one window. */
  readonly inWindow: (
    window: BurnWindow,
  ) => Pick<AlarmProps, "metric" | "period" | "threshold" | "evaluationPeriods" | "datapointsToAlarm">;
};

/**
 * Two alarms on the error budget of a month: one goes off within minutes in an outage, the other within hours when a small
 * share fails all the time. Each watches a long window, so that a fault of seconds is no alarm, and a short one, so that the
 * alarm ends soon after the fault.
 * @see https://sre.google/workbook/alerting-on-slos/
 */
export class BurnRateAlarm extends Construct {
  constructor(scope: Construct, id: string, { topic, description, runbook, inWindow }: BurnRateAlarmProps) {
    super(scope, id);
    for (const [name, { burnRate, longMinutes, shortMinutes }] of Object.entries(BURN_RATES)) {
      const windows = { Long: longMinutes, Short: shortMinutes };
      const parts = Object.entries(windows).map(([length, minutes]) => {
        const window = { minutes, burnRate, isLong: length === "Long" };
        return new Alarm(this, `${name}${length}`, { description, runbook, ...inWindow(window) });
      });
      const both = new CompositeAlarm(this, name, {
        alarmDescription: `${description} See docs/runbook.md#${runbook}.`,
        alarmRule: AlarmRule.allOf(...parts.map((part) => AlarmRule.fromAlarm(part, AlarmState.ALARM))),
      });
      both.addAlarmAction(new SnsAction(topic));
    }
  }
}

/** The rates and windows of the SRE workbook: 2 % of a month's budget in an hour, 5 % in six. */
export const BURN_RATES = {
  Fast: { burnRate: 14.4, longMinutes: 60, shortMinutes: 5 },
  Slow: { burnRate: 6, longMinutes: 360, shortMinutes: 30 },
} as const;

/** An alarm on the sum of a whole window. */
export const wholeWindow = ({ minutes }: BurnWindow) => ({ period: Duration.minutes(minutes), evaluationPeriods: 1 });

/** An alarm on the minutes of a window: goes off for so many bad ones that the budget of `share` burns at the window's rate. */
export function minutesOfWindow({ minutes, burnRate }: BurnWindow, share: number) {
  // Rounded to a millionth, because 6 × 0.005 is a little more than 0.03.
  const bad = Math.ceil(Number((minutes * burnRate * share).toFixed(6)));
  return { period: Duration.minutes(1), evaluationPeriods: minutes, datapointsToAlarm: bad };
}
