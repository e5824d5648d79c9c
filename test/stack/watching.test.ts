import { readFileSync } from "node:fs";
import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, it } from "vitest";
import { WATCHING } from "../../bench/cost/watching.ts";
import { FILTERED_METRICS, METRICS, METRICS_OF_STAGE, type MetricName } from "../../functions/core/metric-names.ts";
import { stageConfig } from "../../lib/stage-config.ts";
import { templateOf } from "./support.ts";

type Logging = { LoggingConfig: { LogGroup: { Ref: string } } };
type Widget = { type: string; properties: { title?: string; metrics?: unknown[][]; alarms?: string[] } };

let template: Template;
beforeAll(() => {
  template = templateOf("prod");
});

/** The body of the dashboard, with the references of the template as text. */
function widgets(from = template): Widget[] {
  type Dashboard = { Properties: { DashboardBody: { "Fn::Join": ["", unknown[]] } } };
  const [dashboard] = Object.values(from.findResources("AWS::CloudWatch::Dashboard")) as [Dashboard];
  const body = dashboard.Properties.DashboardBody;
  const text = body["Fn::Join"][1].map((part) =>
    typeof part === "string" ? part : JSON.stringify(part).replaceAll('"', ""),
  );
  return (JSON.parse(text.join("")) as { widgets: Widget[] }).widgets;
}

/** Every metric of the dashboard, once; the short forms of CloudWatch's rows written out. */
function metricsOf(all: Widget[]): string[] {
  const found = new Set<string>();
  for (const { properties } of all) {
    for (const row of properties.metrics ?? []) {
      if (typeof row[0] === "object") continue;
      const { stat } = row.at(-1) as { stat?: string };
      found.add([...row.slice(0, -1), stat ?? "Average"].join(" "));
    }
  }
  return [...found];
}

const ids = (type: string) => Object.keys(template.findResources(type));

describe("the dashboard", () => {
  it("the dashboard has a graph of each function that events pass, in the order of their way", () => {
    const titles = widgets().flatMap(({ properties: { title } }) => /^\w+(?=: )/.exec(title ?? "")?.[0] ?? []);

    expect([...new Set(titles)]).toEqual([
      "ingest",
      "consume",
      "queue",
      "drain",
      "query",
      "notify",
      "jobs",
      "cost",
      "API",
    ]);
  });

  it("the dashboard shows every alarm that notifies, and not the windows of an objective", () => {
    const [{ properties }] = widgets() as [Widget];
    const notifying = ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"].flatMap((type) =>
      Object.entries(template.findResources(type)).filter(
        ([, { Properties }]) => "AlarmActions" in (Properties as object),
      ),
    );

    expect(properties.alarms?.toSorted()).toEqual(notifying.map(([id]) => `{Fn::GetAtt:[${id},Arn]}`).toSorted());
    expect(notifying.length).toBeLessThan(ids("AWS::CloudWatch::Alarm").length);
  });

  it("the dashboard shows the errors of each function that events, jobs or an alarm depend on", () => {
    const errors = metricsOf(widgets()).filter((metric) => metric.includes(" Errors "));

    for (const name of ["Consume", "Drain", "Notify", "Export", "Replay", "Status", "Access", "Migrate"])
      expect(errors.filter((metric) => metric.includes(`${name}Function`))).toHaveLength(1);
  });

  it("the dashboard has at most the 50 metrics of a free one", () => {
    expect(metricsOf(widgets()).length).toBeGreaterThan(40);
    expect(metricsOf(widgets()).length).toBeLessThanOrEqual(50);
  });

  it("the dashboard shows metrics of ours by their function and stage, and never by tenant", () => {
    const own = metricsOf(widgets()).filter((metric) => !metric.startsWith("AWS/"));

    for (const metric of own) {
      const [namespace, name = "", ...dimensions] = metric.split(" ");
      expect(namespace).toBe("Sluice-prod");
      expect(METRICS, metric).toHaveProperty(name);
      expect(dimensions.join(" "), metric).toMatch(/^(service [a-z-]+ )?stage prod (Sum|Maximum)$/);
    }
    expect(own.length).toBeGreaterThan(20);
  });

  it("the dashboard of a stage with a database outside the stack leaves its capacity out", () => {
    const existingDatabase = {
      clusterArn: "arn:aws:rds:us-east-1:000000000000:cluster:restored",
      secretArn: "arn:aws:secretsmanager:us-east-1:000000000000:secret:restored",
      databaseName: "sluice",
    };
    const titles = (from: Template) => widgets(from).map(({ properties: { title } }) => title);

    expect(titles(template)).toContain("cost: ACU of the database");
    expect(titles(templateOf({ ...stageConfig("dev"), existingDatabase }))).not.toContain("cost: ACU of the database");
  });
});

describe("the metric filters", () => {
  type MetricFilter = {
    FilterPattern: string;
    LogGroupName: { Ref: string };
    MetricTransformations: (Record<string, unknown> & { MetricName: MetricName })[];
  };

  it("each metric of ordinary lines has a filter in the log group of its function, before its function", () => {
    const found = Object.entries(template.findResources("AWS::Logs::MetricFilter")).map(([id, { Properties }]) => {
      const { FilterPattern, LogGroupName, MetricTransformations } = Properties as MetricFilter;
      const [{ MetricName, ...transformation }] = MetricTransformations as [MetricFilter["MetricTransformations"][0]];
      const [of, ...others] = Object.values(template.findResources("AWS::Lambda::Function")).filter(
        (each) => (each["Properties"] as Logging).LoggingConfig.LogGroup.Ref === LogGroupName.Ref,
      ) as { DependsOn: string[]; Properties: Logging }[];

      expect(others).toEqual([]);
      expect(of?.DependsOn).toContain(id);
      expect({ FilterPattern, ...transformation }).toEqual({
        FilterPattern: `{ $.${MetricName} >= 0 }`,
        MetricNamespace: "Sluice-prod",
        MetricValue: `$.${MetricName}`,
        Unit: METRICS[MetricName],
        Dimensions: [
          { Key: "service", Value: "$.service" },
          { Key: "stage", Value: "$.stage" },
        ],
      });
      return `${/^[A-Z][a-z]+/.exec(LogGroupName.Ref)?.[0].toLowerCase()} ${MetricName}`;
    });

    const wanted = Object.entries(FILTERED_METRICS).flatMap(([name, names]) => names.map((each) => `${name} ${each}`));
    expect(found.toSorted()).toEqual(wanted.toSorted());
    expect(found.length).toBeGreaterThan(3);
  });

  it("no metric of a filter is a gauge of the whole stage, which has other dimensions", () => {
    for (const name of Object.values(FILTERED_METRICS).flat()) expect(METRICS_OF_STAGE.has(name), name).toBe(false);
  });
});

describe("the stage's choice of what watches it", () => {
  const counts = (from: Template) =>
    ["Dashboard", "CompositeAlarm", "Alarm"].map(
      (type) => Object.keys(from.findResources(`AWS::CloudWatch::${type}`)).length,
    );

  it("dev has the dashboard, which is free, and no alarms on objectives, and prod has both", () => {
    expect(counts(templateOf("dev")).slice(0, 2)).toEqual([1, 0]);
    expect(counts(template).slice(0, 2)).toEqual([1, 4]);
  });

  it("a stage leaves out the dashboard and the objectives where its settings say so", () => {
    const without = { ...stageConfig("prod"), dashboard: false, objectives: false };

    expect(counts(templateOf(without))).toEqual([0, 0, ids("AWS::CloudWatch::Alarm").length - 8]);
  });
});

describe("an objective", () => {
  it("each window of an objective is a part of a composite alarm that notifies the topic and names the runbook", () => {
    const composite = Object.values(template.findResources("AWS::CloudWatch::CompositeAlarm")) as {
      Properties: { AlarmRule: unknown; AlarmActions: unknown[]; AlarmDescription: string };
    }[];
    const silent = Object.entries(template.findResources("AWS::CloudWatch::Alarm"))
      .filter(([, { Properties }]) => !("AlarmActions" in (Properties as object)))
      .map(([id]) => id);
    const rules = composite.map(({ Properties }) => JSON.stringify(Properties.AlarmRule));

    expect(silent).toHaveLength(8);
    for (const id of silent)
      expect(
        rules.filter((rule) => rule.includes(`"${id}"`)),
        id,
      ).toHaveLength(1);
    for (const { Properties } of composite) {
      expect(Properties.AlarmActions).toEqual([{ Ref: ids("AWS::SNS::Topic")[0] }]);
      expect(Properties.AlarmDescription).toMatch(/ See docs\/runbook\.md#(accept|readable)-objective\.$/);
    }
  });

  it("no alarm looks further back than CloudWatch lets it: a day, where its period is below an hour", () => {
    for (const [id, { Properties }] of Object.entries(template.findResources("AWS::CloudWatch::Alarm"))) {
      const { Period, Metrics, EvaluationPeriods } = Properties as {
        Period?: number;
        Metrics?: { MetricStat?: { Period: number } }[];
        EvaluationPeriods: number;
      };
      const periods = new Set(
        (Metrics ?? []).flatMap(({ MetricStat: stat }) => (stat === undefined ? [] : [stat.Period])),
      );
      const [period = Period ?? 0, ...others] = periods;

      expect(others, id).toEqual([]);
      expect(period * EvaluationPeriods, id).toBeLessThanOrEqual(86_400);
      expect((Metrics ?? []).filter(({ MetricStat: stat }) => stat !== undefined).length, id).toBeLessThanOrEqual(10);
    }
  });
});

describe("the price of watching", () => {
  it.each(Object.entries(WATCHING))("the price of watching %s counts what its template has", (stage, watching) => {
    const from = templateOf(stage as keyof typeof WATCHING);
    const watched = Object.values(from.findResources("AWS::CloudWatch::Alarm")).map(({ Properties }) => {
      const { Metrics } = Properties as { Metrics?: { MetricStat?: object }[] };
      return Metrics?.filter(({ MetricStat: stat }) => stat !== undefined).length ?? 1;
    });

    expect(watching).toEqual({
      alarmMetrics: watched.reduce((sum, count) => sum + count, 0),
      compositeAlarms: Object.keys(from.findResources("AWS::CloudWatch::CompositeAlarm")).length,
      dashboards: Object.keys(from.findResources("AWS::CloudWatch::Dashboard")).length,
    });
  });
});

describe("docs/watching.md", () => {
  it("docs/watching.md has the objectives and thresholds of the code", async () => {
    const { ACCEPT_OBJECTIVE, READABLE_OBJECTIVE, READABLE_SECONDS, FAILED_REQUESTS_MIN } = await import(
      "../../lib/objectives.ts"
    );
    const { BURN_RATES } = await import("../../lib/burn-rate-alarm.ts");
    const page = readFileSync("docs/watching.md", "utf8");

    expect(page).toContain(`${100 * ACCEPT_OBJECTIVE} % of the requests`);
    expect(page).toContain(`${100 * READABLE_OBJECTIVE} % of the minutes`);
    expect(page).toContain(`${READABLE_SECONDS} s`);
    expect(page).toContain(`${FAILED_REQUESTS_MIN} failed requests`);
    for (const { burnRate, longMinutes, shortMinutes } of Object.values(BURN_RATES)) {
      expect(page).toMatch(new RegExp(`\\| ${burnRate} \\|.* ${longMinutes} min.* ${shortMinutes} min`));
    }
  });
});
