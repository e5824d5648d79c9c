import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import type { FunctionName } from "../../functions/core/functions.ts";
import { METRICS_WITH_ZERO, type MetricCounts, type MetricName } from "../../functions/core/metric-names.ts";
import type { Datapoint } from "../../localstack/lambda/datapoints.ts";
import type { MetricFilterModel } from "../../localstack/template/model.ts";
import { readMetricFilters } from "../../localstack/template/read-metric-filters.ts";
import { createResolver } from "../../localstack/template/resolver.ts";
import { minutesOn } from "../support/cloudwatch/alarms.ts";
import { evaluateMath } from "../support/cloudwatch/metric-math.ts";
import { reported } from "../support/cloudwatch/reported.ts";
import { templateOf } from "./support.ts";

type Resources = Record<string, { Type: string; Properties: Record<string, unknown> }>;

const FROM = Date.parse("2026-11-30T00:00:00Z");
const STACK = { namespace: "Sluice-prod", stage: "prod" };

let template: { Resources: Resources };
let filters: MetricFilterModel[];
beforeAll(() => {
  template = templateOf("prod").toJSON() as typeof template;
  const environment = { stackName: "Sluice-prod", region: "us-east-1", accountId: "000000000000", sqsEndpoint: "" };
  filters = readMetricFilters(createResolver(template, environment));
});

/** The metric filters of a function's log group. */
const filtersOf = (service: FunctionName) =>
  filters.filter(({ logGroup }) => logGroup.toLowerCase().startsWith(`sluice-prod-${service}functionlogs`));

/** The datapoints of a minute. */
type Feed = (at: number) => Datapoint[];

/** The id without its hash. */
const nameOf = (id: string) => id.replace(/[0-9A-F]{8}$/, "");
const idOf = (name: string) => Object.keys(template.Resources).find((id) => nameOf(id) === name) ?? name;

const aws =
  (namespace: string, name: string, dimensions: Record<string, string>, value: number): Feed =>
  (at) => [{ namespace, name, dimensions, at, value }];
const ref = (Ref: string) => ({ Ref: idOf(Ref) });

/** Lambda's metric of a function, by its construct. */
const lambda =
  (construct: string, name: string, value: number): Feed =>
  (at) => [{ namespace: "AWS/Lambda", name, dimensions: { FunctionName: ref(`${construct}Function`) }, at, value }];
const queue =
  (construct: string, name: string, value: number): Feed =>
  (at) => [
    {
      namespace: "AWS/SQS",
      name,
      dimensions: { QueueName: { "Fn::GetAtt": [idOf(construct), "QueueName"] } },
      at,
      value,
    },
  ];
const capacity =
  (value: number): Feed =>
  (at) => [
    {
      namespace: "AWS/RDS",
      name: "ACUUtilization",
      dimensions: { DBClusterIdentifier: ref("DatabaseCluster") },
      at,
      value,
    },
  ];
const api = (name: string, value: number) => aws("AWS/ApiGateway", name, { ApiName: "Sluice-prod" }, value);

/** The line of an invocation of ours. */
const own =
  (service: FunctionName, counts: MetricCounts): Feed =>
  (at) =>
    reported(service, counts, { at, ...STACK, filters: filtersOf(service) });

const all =
  (...feeds: Feed[]): Feed =>
  (at) =>
    feeds.flatMap((feed) => feed(at));

/** The feed in these minutes. */
const inMinutes = (minutes: readonly number[], feed: Feed): Datapoint[] =>
  minutes.flatMap((minute) => feed(FROM + minute * 60_000));
const every = (minutes: number) => Array.from({ length: minutes }, (_, minute) => minute);

/** The minutes at whose end an alarm is on. */
const minutesOf = (name: string, datapoints: Datapoint[], minutes: number): number[] =>
  minutesOn(template, idOf(name), datapoints, { from: FROM, minutes });
const goesOff = (name: string, datapoints: Datapoint[], minutes: number): boolean =>
  minutesOf(name, datapoints, minutes).length > 0;

/** Every alarm that notifies. */
const notifying = () =>
  Object.entries(template.Resources)
    .filter(
      ([, { Type, Properties }]) => /^AWS::CloudWatch::(Composite)?Alarm$/.test(Type) && "AlarmActions" in Properties,
    )
    .map(([id]) => nameOf(id));

/** Requests of a minute, of which some fail. */
const requests = (count: number, failed: number) =>
  all(lambda("Ingest", "Invocations", count), lambda("Ingest", "Errors", 0), own("ingest", { RequestsFailed: failed }));
const lag = (seconds: number) => own("consume", { StoreLagSeconds: seconds });

/** The least for which each alarm goes off, and what is just less. */
const scenarios: Record<string, { enough: () => Datapoint[]; less: () => Datapoint[]; minutes?: number }> = {
  ApiServerErrorsAlarm: {
    enough: () => inMinutes([0, 2, 4], api("5XXError", 1)),
    less: () => inMinutes([0, 2, 5], api("5XXError", 1)),
  },
  QueueQueueAgeAlarm: {
    enough: () => inMinutes([0, 1, 2], queue("QueueEvents", "ApproximateAgeOfOldestMessage", 900)),
    less: () => inMinutes(every(9), queue("QueueEvents", "ApproximateAgeOfOldestMessage", 899)),
  },
  DatabaseCapacityAlarm: {
    enough: () => inMinutes(every(15), capacity(96)),
    less: () => [...inMinutes(every(9), capacity(100)), ...inMinutes([9, 10, 11, 12, 13, 14], capacity(60))],
    minutes: 30,
  },
  AccessErrorsAlarm: {
    enough: () => inMinutes([0, 2, 4], lambda("Access", "Errors", 1)),
    less: () => inMinutes([0, 2, 5], lambda("Access", "Errors", 1)),
  },
  IngestErrorsAlarm: {
    enough: () => inMinutes([0, 2, 4], lambda("Ingest", "Errors", 1)),
    less: () => inMinutes([0, 4], lambda("Ingest", "Errors", 9)),
  },
  IngestSchemaFailedAlarm: {
    enough: () => inMinutes([3], own("ingest", { EventsSchemaFailed: 1 })),
    less: () => inMinutes(every(9), own("ingest", { EventsAccepted: 1, EventsRejected: 1 })),
  },
  IngestKeysStaleAlarm: {
    enough: () => inMinutes([0, 4], own("ingest", { KeysStale: 1 })),
    less: () => inMinutes([0, 5], own("ingest", { KeysStale: 9 })),
  },
  IngestLatencyAlarm: {
    enough: () => inMinutes([0, 1, 2], lambda("Ingest", "Duration", 3_000)),
    // One request in two hundred is slow.
    less: () =>
      inMinutes(every(9), (at) => [
        ...every(199).flatMap(() => lambda("Ingest", "Duration", 20)(at)),
        ...lambda("Ingest", "Duration", 9_000)(at),
      ]),
  },
  IngestRefusedAlarm: {
    enough: () => inMinutes(every(15), own("ingest", { EventsAccepted: 190, EventsRejected: 10 })),
    less: () => [
      // A smaller share, few events, and what a limit refuses.
      ...inMinutes(every(15), own("ingest", { EventsAccepted: 200, EventsRejected: 10 })),
      ...inMinutes(
        every(15).map((minute) => minute + 40),
        own("ingest", { EventsAccepted: 0, EventsRejected: 6 }),
      ),
      ...inMinutes(
        every(15).map((minute) => minute + 80),
        own("ingest", { EventsAccepted: 10, EventsRejected: 90, EventsLimited: 90 }),
      ),
    ],
    minutes: 120,
  },
  WakesDeadLettersAlarm: {
    enough: () => inMinutes([1], queue("WakesDeadLetters", "ApproximateNumberOfMessagesVisible", 1)),
    less: () => inMinutes(every(9), queue("WakesDeadLetters", "ApproximateNumberOfMessagesVisible", 0)),
  },
  ConsumeErrorsAlarm: {
    enough: () => inMinutes([0, 2, 4], lambda("Consume", "Errors", 1)),
    less: () => inMinutes([0, 5], lambda("Consume", "Errors", 9)),
  },
  ConsumeRepeatedErrorsAlarm: {
    enough: () => inMinutes([0, 9, 18], lambda("Consume", "Errors", 1)),
    less: () => inMinutes([0, 31, 62], lambda("Consume", "Errors", 1)),
    minutes: 90,
  },
  ConsumeThrottlesAlarm: {
    enough: () => inMinutes([0, 14, 29], lambda("Consume", "Throttles", 1)),
    less: () => inMinutes([0, 15, 30], lambda("Consume", "Throttles", 1)),
    minutes: 60,
  },
  ConsumeStoppedAlarm: {
    enough: () => inMinutes([0, 4], own("consume", { ConsumerStopped: 1 })),
    less: () => inMinutes([0, 5], own("consume", { ConsumerStopped: 1 })),
  },
  ConsumeFailedAgeAlarm: {
    enough: () => inMinutes([2], own("consume", { OldestFailedAgeSeconds: 900 })),
    less: () => inMinutes(every(9), own("consume", { OldestFailedAgeSeconds: 899 })),
  },
  DrainDeadLettersAlarm: {
    enough: () => inMinutes([1], own("drain", { OpenDeadLetters: 1 })),
    less: () => inMinutes(every(9), own("replay", { OpenDeadLetters: 0 })),
  },
  DrainErrorsAlarm: {
    enough: () => inMinutes([0, 14, 29], lambda("Drain", "Errors", 1)),
    less: () => inMinutes([0, 15, 30], lambda("Drain", "Errors", 1)),
    minutes: 60,
  },
  DrainQueueAgeAlarm: {
    enough: () => inMinutes([0, 1, 2], queue("QueueDeadLetters", "ApproximateAgeOfOldestMessage", 900)),
    less: () => inMinutes([0, 1, 3, 4], queue("QueueDeadLetters", "ApproximateAgeOfOldestMessage", 9_000)),
  },
  DrainFailedAgeAlarm: {
    enough: () => inMinutes([2], own("drain", { OldestFailedAgeSeconds: 900 })),
    less: () => inMinutes(every(9), own("drain", { OldestFailedAgeSeconds: 899 })),
  },
  QueryHorizonAgeAlarm: {
    enough: () => inMinutes([0, 2, 4], own("query", { HorizonAgeSeconds: 30 })),
    less: () => inMinutes(every(9), own("query", { HorizonAgeSeconds: 29 })),
  },
  ExportQueueDeadLettersAlarm: {
    enough: () => inMinutes([1], queue("ExportQueueDeadLetters", "ApproximateNumberOfMessagesVisible", 1)),
    less: () => inMinutes(every(9), queue("ExportQueueDeadLetters", "ApproximateNumberOfMessagesVisible", 0)),
  },
  ExportErrorsAlarm: {
    enough: () => inMinutes([0, 30, 59], lambda("Export", "Errors", 1)),
    less: () => inMinutes([0, 30, 60], lambda("Export", "Errors", 1)),
    minutes: 90,
  },
  ExportFailedAlarm: {
    enough: () => inMinutes([1], own("export", { ExportsFailed: 1 })),
    less: () => inMinutes(every(9), own("export", { ExportsFailed: 0 })),
  },
  ReplayQueueDeadLettersAlarm: {
    enough: () => inMinutes([1], queue("ReplayQueueDeadLetters", "ApproximateNumberOfMessagesVisible", 1)),
    less: () => inMinutes(every(9), queue("ReplayQueueDeadLetters", "ApproximateNumberOfMessagesVisible", 0)),
  },
  ReplayErrorsAlarm: {
    enough: () => inMinutes([0, 30, 59], lambda("Replay", "Errors", 1)),
    less: () => inMinutes([0, 30, 60], lambda("Replay", "Errors", 1)),
    minutes: 90,
  },
  ReplayFailedAlarm: {
    enough: () => inMinutes([1], own("replay", { ReplaysFailed: 1 })),
    less: () => inMinutes(every(9), own("replay", { ReplaysFailed: 0 })),
  },
  NotifyErrorsAlarm: {
    enough: () => inMinutes([0, 30, 59], lambda("Notify", "Errors", 1)),
    less: () => inMinutes([0, 30, 60], lambda("Notify", "Errors", 1)),
    minutes: 90,
  },
  NotifyDisabledAlarm: {
    enough: () => inMinutes([1], own("notify", { SubscriptionsDisabled: 1 })),
    less: () => inMinutes(every(9), own("notify", { SubscriptionsDisabled: 0 })),
  },
  NotifyFailingAlarm: {
    enough: () => inMinutes([1], own("notify", { SubscriptionsFailing: 1 })),
    less: () => inMinutes(every(9), own("notify", { SubscriptionsFailing: 0 })),
  },
  NotifyFiltersAlarm: {
    enough: () => inMinutes([0, 30, 59], own("notify", { FiltersFailing: 1 })),
    less: () => inMinutes([0, 30, 60], own("notify", { FiltersFailing: 1 })),
    minutes: 90,
  },
  StatusQueueDeadLettersAlarm: {
    enough: () => inMinutes([1], queue("StatusQueueDeadLetters", "ApproximateNumberOfMessagesVisible", 1)),
    less: () => inMinutes(every(9), queue("StatusQueueDeadLetters", "ApproximateNumberOfMessagesVisible", 0)),
  },
  StatusErrorsAlarm: {
    enough: () => inMinutes([0, 30, 59], lambda("Status", "Errors", 1)),
    less: () => inMinutes([0, 30, 60], lambda("Status", "Errors", 1)),
    minutes: 90,
  },
  StatusLedgerAlarm: {
    enough: () => inMinutes([1], own("status", { LedgerDifference: 1 })),
    less: () => inMinutes(every(9), own("status", { LedgerDifference: 0 })),
  },
  RetainQueueDeadLettersAlarm: {
    enough: () => inMinutes([1], queue("RetainQueueDeadLetters", "ApproximateNumberOfMessagesVisible", 1)),
    less: () => inMinutes(every(9), queue("RetainQueueDeadLetters", "ApproximateNumberOfMessagesVisible", 0)),
  },
  RetainErrorsAlarm: {
    enough: () => inMinutes([1, 20], lambda("Retain", "Errors", 1)),
    less: () => inMinutes([1], lambda("Retain", "Errors", 1)),
    minutes: 70,
  },
  RetainBehindAlarm: {
    enough: () => inMinutes([1], own("retain", { RetentionDaysBehind: 2 })),
    less: () => inMinutes(every(9), own("retain", { RetentionDaysBehind: 1 })),
  },
  RetainArchiveAlarm: {
    enough: () => inMinutes([1], own("retain", { ArchiveDaysBehind: 2 })),
    less: () => inMinutes(every(9), own("retain", { ArchiveDaysBehind: 1 })),
  },
  RetainRestoresAlarm: {
    enough: () => inMinutes([1], own("retain", { RestoresFailed: 1 })),
    less: () => inMinutes(every(9), own("retain", { RestoresFailed: 0 })),
  },
  RetainErasuresAlarm: {
    enough: () => inMinutes([1], own("retain", { ErasuresFailed: 1 })),
    less: () => inMinutes(every(9), own("retain", { ErasuresFailed: 0 })),
  },
  RetainPartitionsAlarm: {
    enough: () => inMinutes([1], own("retain", { PartitionDaysMissing: 7 })),
    less: () => inMinutes(every(9), own("retain", { PartitionDaysMissing: 6 })),
  },
  RotateErrorsAlarm: {
    enough: () => inMinutes([1], lambda("Rotate", "Errors", 1)),
    less: () => inMinutes(every(9), lambda("Rotate", "Errors", 0)),
  },
  MigrateErrorsAlarm: {
    enough: () => inMinutes([1], lambda("Migrate", "Errors", 1)),
    less: () => inMinutes(every(9), lambda("Migrate", "Errors", 0)),
  },
  MigrateRollupsAlarm: {
    enough: () => inMinutes([1], own("migrate", { RollupsDiffering: 1 })),
    less: () => inMinutes(every(9), own("migrate", { RollupsDiffering: 0 })),
  },
  ObjectivesAcceptFast: {
    enough: () => inMinutes(every(70), requests(1_000, 15)),
    less: () => inMinutes(every(70), requests(1_000, 14)),
    minutes: 70,
  },
  ObjectivesAcceptSlow: {
    enough: () => inMinutes(every(370), requests(1_000, 6)),
    less: () => inMinutes(every(370), requests(1_000, 5)),
    minutes: 370,
  },
  ObjectivesReadableFast: {
    enough: () => inMinutes([0, 10, 20, 30, 40], lag(60)),
    less: () => [...inMinutes(every(4), lag(300)), ...inMinutes(every(70), lag(59))],
    minutes: 70,
  },
  ObjectivesReadableSlow: {
    enough: () =>
      inMinutes(
        every(11).map((number) => 20 * number),
        lag(60),
      ),
    less: () =>
      inMinutes(
        every(10).map((number) => 20 * number),
        lag(60),
      ),
    minutes: 240,
  },
};

describe("each alarm", () => {
  it("each alarm that notifies has a scenario here, and each scenario its alarm", () => {
    expect(Object.keys(scenarios).toSorted()).toEqual(notifying().toSorted());
  });

  it.each(Object.keys(scenarios))("%s goes off for just enough, and not for just less", (name) => {
    const { enough, less, minutes = 20 } = scenarios[name] as (typeof scenarios)[string];

    expect(goesOff(name, enough(), minutes)).toBe(true);
    expect(goesOff(name, less(), minutes)).toBe(false);
  });

  it("the alarm on refused events goes off where every event is refused, so that no line counts an accepted one", () => {
    const datapoints = inMinutes(every(15), own("ingest", { EventsAccepted: 0, EventsRejected: 10 }));

    expect(datapoints.map(({ name }) => name)).not.toContain("EventsAccepted");
    expect(goesOff("IngestRefusedAlarm", datapoints, 20)).toBe(true);
  });

  it("the alarms that stay as they are without data watch gauges, which are reported at zero", () => {
    const kept = Object.values(template.Resources).filter(
      ({ Type, Properties }) => Type === "AWS::CloudWatch::Alarm" && Properties["TreatMissingData"] === "ignore",
    );

    expect(kept.length).toBeGreaterThan(0);
    for (const { Properties } of kept) {
      expect(METRICS_WITH_ZERO, String(Properties["MetricName"])).toContain(Properties["MetricName"] as MetricName);
    }
  });

  it("the alarms are all off while everything works, and while nothing happens", () => {
    const good = all(
      requests(1_000, 0),
      lambda("Ingest", "Duration", 20),
      own("ingest", { EventsAccepted: 1_000, EventsRejected: 0 }),
      own("consume", { EventsStored: 1_000, MessagesFailed: 0, ConsumerStopped: 0, OldestFailedAgeSeconds: 0 }),
      lag(1.5),
      queue("QueueEvents", "ApproximateAgeOfOldestMessage", 2),
      capacity(40),
    );

    const datapoints = inMinutes(every(30), good);

    expect(notifying().filter((name) => goesOff(name, datapoints, 30))).toEqual([]);
    expect(notifying().filter((name) => goesOff(name, [], 30))).toEqual([]);
  });
});

describe("the runbook", () => {
  it("the runbook has a section about an alarm for each that an alarm names, and each such section its alarms", () => {
    const sections = readFileSync("docs/runbook.md", "utf8").split(/^## /m).slice(1);
    const aboutAlarms = sections.filter((section) => /^.+\n\n\*\*Alarm\.\*\* /.test(section));
    const anchors = aboutAlarms.map((section) => section.split("\n")[0]?.toLowerCase().replaceAll(" ", "-"));
    const named = notifying().map((name) => {
      const description = String(template.Resources[idOf(name)]?.Properties["AlarmDescription"]);
      return /^[A-Z][^.]+\. See docs\/runbook\.md#(.+)\.$/.exec(description)?.[1];
    });

    expect(new Set(named)).toEqual(new Set(anchors));
  });

  it("the runbook says of every other section that it has no alarm, and has steps in each", () => {
    for (const section of readFileSync("docs/runbook.md", "utf8").split(/^## /m).slice(1)) {
      expect(section).toMatch(/^.+\n\n(\*\*Alarm\.\*\* |No alarm)/);
      expect(section, section.split("\n")[0]).toMatch(/^(1\. |`reason`)/m);
    }
  });
});

describe("an alarm on an objective", () => {
  it("the alarm on accepted requests goes off within minutes in an outage, and ends within minutes after it", () => {
    const outage = [
      ...inMinutes(every(60), requests(100, 0)),
      ...inMinutes(
        every(15).map((minute) => minute + 60),
        requests(100, 100),
      ),
      ...inMinutes(
        every(60).map((minute) => minute + 75),
        requests(100, 0),
      ),
    ];

    const minutes = minutesOf("ObjectivesAcceptFast", outage, 135);

    expect(minutes[0]).toBe(60);
    expect(minutes.at(-1)).toBe(78);
  });

  it("the alarm on accepted requests counts crashes and throttled invocations of ingest as failed requests", () => {
    const crashes = all(lambda("Ingest", "Invocations", 100), lambda("Ingest", "Errors", 2));
    const throttles = all(lambda("Ingest", "Invocations", 98), lambda("Ingest", "Throttles", 2));

    expect(goesOff("ObjectivesAcceptFast", inMinutes(every(10), crashes), 10)).toBe(true);
    expect(goesOff("ObjectivesAcceptFast", inMinutes(every(10), throttles), 10)).toBe(true);
  });

  it("the alarm on accepted requests goes off where Lambda throttles every invocation, and so counts none", () => {
    expect(goesOff("ObjectivesAcceptFast", inMinutes(every(10), lambda("Ingest", "Throttles", 2)), 10)).toBe(true);
    expect(goesOff("ObjectivesAcceptSlow", inMinutes(every(40), lambda("Ingest", "Throttles", 2)), 40)).toBe(true);
  });

  it("the alarm on accepted requests spares a few failed ones in a quiet hour, which clients send again", () => {
    const quiet = (failed: number) => [
      ...inMinutes(every(60), requests(1, 0)),
      ...inMinutes(
        every(failed).map((minute) => minute + 60),
        requests(1, 1),
      ),
    ];

    expect(goesOff("ObjectivesAcceptFast", quiet(9), 80)).toBe(false);
    expect(goesOff("ObjectivesAcceptFast", quiet(10), 80)).toBe(true);
  });

  it("the alarm on readable events goes off while nobody receives them, and when a batch fails again and again", () => {
    const waiting = queue("QueueEvents", "ApproximateAgeOfOldestMessage", 61);

    expect(goesOff("ObjectivesReadableFast", inMinutes(every(6), waiting), 10)).toBe(true);
    // The waits of a message that fails are a third of its age: its minutes, as the consumer reports them.
    const failing = inMinutes([1, 2, 3, 4, 5], lag(300));
    expect(minutesOf("ObjectivesReadableFast", failing, 20)).toEqual([5, 6, 7, 8, 9]);
  });
});

describe("metric math", () => {
  it.each([
    ["1 + 2 * m / 4", [2, undefined]],
    ["IF(m >= 2 && m < 3, 10 - 4 - 1, 0)", [5, undefined]],
    ["FILL(m, 0) + FILL(n, 1)", [3, 4]],
    ["n / (m - 2)", [undefined, undefined]],
    ["-m == -2 || 0", [1, undefined]],
  ])("metric math gives for %s what CloudWatch does", (expression, expected) => {
    expect(evaluateMath(expression, { m: [2, undefined], n: [undefined, 4] }, 2)).toEqual(expected);
  });

  it.each(["RATE(m)", "m +", "m n", "x", "(m"])("metric math refuses %s, which is not known here", (expression) => {
    expect(() => evaluateMath(expression, { m: [1] }, 1)).toThrow(/^Metric math /);
  });
});
