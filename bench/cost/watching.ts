import { type BillPart, part } from "./bill-part.ts";

export type Watching = { alarmMetrics: number; compositeAlarms: number; dashboards: number };

/** Alarms and dashboards of a stage, which cost all month, whether events come or not. A stack test counts them in the template. */
export const WATCHING = {
  dev: { alarmMetrics: 44, compositeAlarms: 0, dashboards: 1 },
  prod: { alarmMetrics: 69, compositeAlarms: 4, dashboards: 1 },
} satisfies Record<string, Watching>;

/**
 * The metrics of our own that ingest and consume report while events come and nothing is wrong with any. Each costs for the hours in
 * which it is reported. A local test counts them.
 */
export const PIPELINE_METRICS = 4;

/** Dashboards of at most 50 metrics that an account has for nothing. */
const FREE_DASHBOARDS = 3;

/** Dollars a month for alarms and dashboard, without the free dashboards. */
export function watchingPerMonth({ alarmMetrics, compositeAlarms, dashboards }: Watching): BillPart[] {
  return [
    part("metrics that alarms watch", alarmMetrics, "alarmMetricMonth"),
    part("alarms of alarms", compositeAlarms, "compositeAlarmMonth"),
    part("dashboards", Math.max(0, dashboards - FREE_DASHBOARDS), "dashboardMonth"),
  ];
}
