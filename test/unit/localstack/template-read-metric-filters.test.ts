import { describe, expect, it } from "vitest";
import { readMetricFilters } from "../../../localstack/template/read-metric-filters.ts";
import { createResolver } from "../../../localstack/template/resolver.ts";

const ENVIRONMENT = { stackName: "Stack", region: "us-east-1", accountId: "000000000000", sqsEndpoint: "" };

const TRANSFORMATION = {
  MetricName: "Accepted",
  MetricNamespace: "Stack",
  MetricValue: "$.Accepted",
  Unit: "Count",
  Dimensions: [{ Key: "service", Value: "$.service" }],
};

/** A metric filter as CDK 2.276 writes it into the template, with other properties. */
function read(properties: Record<string, unknown> = {}, transformation: Record<string, unknown> = {}) {
  const Properties = {
    FilterPattern: "{ $.Accepted >= 0 }",
    LogGroupName: { Ref: "Logs" },
    MetricTransformations: [{ ...TRANSFORMATION, ...transformation }],
    ...properties,
  };
  const Resources = {
    Logs: { Type: "AWS::Logs::LogGroup", Properties: { LogGroupName: "logs" } },
    Filter: { Type: "AWS::Logs::MetricFilter", Properties },
  };
  return readMetricFilters(createResolver({ Resources }, ENVIRONMENT));
}

describe("a metric filter of the template", () => {
  it("a metric filter has its log group, its comparison, and the members of value and dimensions", () => {
    expect(read({ FilterPattern: "{ $.Other >= 1.5 }" })).toEqual([
      {
        logGroup: "logs",
        matches: { member: "Other", least: 1.5 },
        namespace: "Stack",
        name: "Accepted",
        value: "Accepted",
        dimensions: { service: "service" },
      },
    ]);
  });

  it.each([
    [
      "a pattern of words",
      { FilterPattern: "ERROR" },
      {},
      /Filter\.Properties\.FilterPattern: ERROR is not known locally/,
    ],
    [
      "two comparisons",
      { FilterPattern: "{ ($.A >= 0) && ($.B >= 0) }" },
      {},
      /FilterPattern: .* is not known locally/,
    ],
    ["another comparison", { FilterPattern: "{ $.A = 1 }" }, {}, /FilterPattern: .* is not known locally/],
    ["a member of a member", { FilterPattern: "{ $.A.B >= 0 }" }, {}, /FilterPattern: .* is not known locally/],
    ["a constant value", {}, { MetricValue: "1" }, /MetricTransformations\[0\]\.MetricValue: 1 is not known locally/],
    [
      "a dimension of a member's member",
      {},
      { Dimensions: [{ Key: "a", Value: "$.a.b" }] },
      /Dimensions\[0\]\.Value: \$\.a\.b is not known locally/,
    ],
    ["a default value", {}, { DefaultValue: 0 }, /DefaultValue is not supported by the local stack/],
    ["a transformation on fields", { ApplyOnTransformedLogs: true }, {}, /ApplyOnTransformedLogs is not supported/],
  ])("a metric filter with %s stops the start", (_, properties, transformation, message) => {
    expect(() => read(properties, transformation)).toThrow(message);
  });
});
