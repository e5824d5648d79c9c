import type { Template } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { stageOnTarget } from "../../lib/deploy-target.ts";
import { stageWith, synthesizeTemplate, templateOf } from "./support.ts";

function propertiesOf(template: Template, type: string): Record<string, unknown>[] {
  return Object.values(template.findResources(type)).map((each) => each["Properties"] as Record<string, unknown>);
}

describe("X-Ray", () => {
  it("X-Ray records the first request of each second and one in a hundred of the others, by a rule of the stack", () => {
    expect(propertiesOf(templateOf("prod"), "AWS::XRay::SamplingRule")).toEqual([
      {
        SamplingRule: {
          RuleName: expect.stringMatching(/^[\w-]{1,32}$/),
          Version: 1,
          Priority: 989,
          ReservoirSize: 1,
          FixedRate: 0.01,
          ServiceName: "Sluice-prod*",
          ServiceType: "*",
          Host: "*",
          HTTPMethod: "*",
          URLPath: "*",
          ResourceARN: "*",
        },
      },
    ]);
  });

  it("X-Ray asks the rule of a stack before that of another one whose name is the beginning of its own", () => {
    const priorityOf = (stackName: string) => {
      const template = synthesizeTemplate(stageWith({}), { name: stackName });
      const [{ SamplingRule: rule } = {}] = propertiesOf(template, "AWS::XRay::SamplingRule");
      return (rule as { Priority: number }).Priority;
    };

    expect(priorityOf("Sluice-dev-2")).toBeLessThan(priorityOf("Sluice-dev"));
    expect(priorityOf("S".repeat(128))).toBeGreaterThan(0);
  });

  it.each([
    ["a stage that sets no percent", stageWith({ xrayPercent: 0 })],
    ["a stage on an emulator", stageOnTarget(stageWith({}), "localstack")],
  ])("X-Ray records nothing of %s, and functions have no right to it", (_, stage) => {
    const template = synthesizeTemplate(stage);

    expect(propertiesOf(template, "AWS::XRay::SamplingRule")).toEqual([]);
    expect(propertiesOf(template, "AWS::ApiGateway::Stage")).toMatchObject([{ TracingEnabled: false }]);
    for (const each of propertiesOf(template, "AWS::Lambda::Function"))
      expect(each["TracingConfig"]).not.toEqual({ Mode: "Active" });
    expect(JSON.stringify(propertiesOf(template, "AWS::IAM::Policy"))).not.toContain("xray:");
  });
});

describe("spans", () => {
  it("spans are in the logs of a stage that asks for them, of every function, and of no other stage", () => {
    const variables = (template: Template) =>
      propertiesOf(template, "AWS::Lambda::Function")
        .map(
          ({ Environment: environment }) =>
            (environment as { Variables: Record<string, unknown> } | undefined)?.Variables,
        )
        .filter((each) => each?.["METRICS_NAMESPACE"] !== undefined)
        .map((each) => each?.["OTLP"]);

    expect(new Set(variables(synthesizeTemplate(stageWith({ otlp: "logs" }))))).toEqual(new Set(["logs"]));
    expect(new Set(variables(templateOf("dev")))).toEqual(new Set([undefined]));
  });
});
