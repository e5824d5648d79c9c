import type { Datapoint } from "../../../localstack/lambda/datapoints.ts";
import { keyOf, statisticOf } from "./datapoints.ts";
import { evaluateMath, type Series } from "./metric-math.ts";

const MINUTE_MS = 60_000;

type Metric = { MetricName: string; Namespace: string; Dimensions?: { Name: string; Value: unknown }[] };
type MetricQuery = {
  Id: string;
  Expression?: string;
  MetricStat?: { Metric: Metric; Period: number; Stat: string };
  ReturnData?: boolean;
};
type MetricAlarm = Partial<Metric> & {
  Metrics?: MetricQuery[];
  Period?: number;
  Statistic?: string;
  ExtendedStatistic?: string;
  Threshold: number;
  ComparisonOperator: string;
  EvaluationPeriods: number;
  DatapointsToAlarm?: number;
  TreatMissingData?: "notBreaching" | "ignore";
};
type Resources = Record<string, { Type: string; Properties: Record<string, unknown> }>;

/**
 * The minutes at whose end an alarm of a template is on, counted from the first. It is evaluated on these datapoints as CloudWatch
 * does: so many of the last periods must reach the threshold. Periods end with the minute of the evaluation, because CloudWatch
 * evaluates longer ones each minute as well. A composite alarm follows its parts.
 * @throws Error for anything in an alarm that this does not know
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarm-evaluation
 */
export function minutesOn(
  template: { Resources: Resources },
  id: string,
  datapoints: readonly Datapoint[],
  { from, minutes }: { from: number; minutes: number },
): number[] {
  const values = valuesByMinute(datapoints, from);
  const minutesOf = (alarmId: string): number[] => {
    const { Type: type, Properties: properties } = template.Resources[alarmId] ?? {};
    if (type === "AWS::CloudWatch::Alarm") {
      let isOn = false;
      return range(minutes).filter((minute) => (isOn = isOnAt(properties as MetricAlarm, minute, values, isOn)));
    }
    if (type !== "AWS::CloudWatch::CompositeAlarm") throw new Error(`${alarmId} is no alarm of the template`);
    const [first = [], ...others] = partsOf(properties?.["AlarmRule"]).map(minutesOf);
    return first.filter((minute) => others.every((other) => other.includes(minute)));
  };
  return minutesOf(id);
}

type Values = Map<string, Map<number, number[]>>;

function valuesByMinute(datapoints: readonly Datapoint[], from: number): Values {
  const values: Values = new Map();
  for (const datapoint of datapoints) {
    const key = keyOf(datapoint);
    const ofMetric = values.get(key) ?? new Map<number, number[]>();
    const minute = Math.floor((datapoint.at - from) / MINUTE_MS);
    values.set(key, ofMetric.set(minute, [...(ofMetric.get(minute) ?? []), datapoint.value]));
  }
  return values;
}

function isOnAt(alarm: MetricAlarm, minute: number, values: Values, wasOn: boolean): boolean {
  const { EvaluationPeriods: periods, DatapointsToAlarm: needed = periods, Threshold: threshold } = alarm;
  if (alarm.ComparisonOperator !== "GreaterThanOrEqualToThreshold")
    throw new Error(`${alarm.ComparisonOperator} is not known here`);
  const series = seriesOf(alarm, minute, values);
  const isIgnored = alarm.TreatMissingData === "ignore" && series.every((value) => value === undefined);
  return isIgnored ? wasOn : series.filter((value) => value !== undefined && value >= threshold).length >= needed;
}

function seriesOf(alarm: MetricAlarm, minute: number, values: Values): Series {
  const { EvaluationPeriods: periods, Metrics: queries } = alarm;
  const read = (metric: Metric, periodSeconds: number, statistic: string): Series => {
    const dimensions = Object.fromEntries((metric.Dimensions ?? []).map(({ Name, Value }) => [Name, Value]));
    const ofMetric = values.get(keyOf({ namespace: metric.Namespace, name: metric.MetricName, dimensions }));
    if (ofMetric === undefined) return range(periods).map(() => undefined);
    const length = periodSeconds / 60;
    return range(periods).map((period) => {
      const last = minute - period * length;
      const inPeriod = range(length).flatMap((back) => ofMetric.get(last - back) ?? []);
      return statisticOf(statistic, inPeriod);
    });
  };
  if (queries === undefined)
    return read(alarm as Metric, alarm.Period ?? 0, alarm.Statistic ?? alarm.ExtendedStatistic ?? "");
  const metrics = Object.fromEntries(
    queries.flatMap(({ Id, MetricStat: stat }) =>
      stat === undefined ? [] : [[Id, read(stat.Metric, stat.Period, stat.Stat)]],
    ),
  );
  const returned = queries.filter(({ ReturnData }) => ReturnData !== false);
  const expression = returned[0]?.Expression;
  if (returned.length !== 1 || expression === undefined) throw new Error("An alarm watches one expression");
  return evaluateMath(expression, metrics, periods);
}

/** The alarms of a rule that is on while all of them are. */
function partsOf(rule: unknown): string[] {
  const [separator, pieces] = (rule as { "Fn::Join": [string, unknown[]] })["Fn::Join"];
  const text = pieces
    .map((piece) =>
      typeof piece === "string" ? piece : (piece as { "Fn::GetAtt": [string, string] })["Fn::GetAtt"][0],
    )
    .join(separator);
  const parts = [...text.matchAll(/ALARM\("(\w+)"\)/g)].map(([, id = ""]) => id);
  if (text !== `(${parts.map((id) => `ALARM("${id}")`).join(" AND ")})`)
    throw new Error(`The rule ${text} is not known here`);
  return parts;
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);
