import { App } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { SluiceStack } from "../../lib/sluice-stack.ts";
import { stageConfig } from "../../lib/stage-config.ts";
import { databaseFunctions } from "./expected-functions.ts";
import { temporaryOutdir } from "./support.ts";

describe("a database from outside the stack", () => {
  it("a database from outside the stack replaces Aurora in every function that uses the database", () => {
    const app = new App({ outdir: temporaryOutdir(), context: { "aws:cdk:bundling-stacks": [] } });
    const granted: string[] = [];
    const stack = new SluiceStack(app, "Sluice-other", {
      stage: stageConfig("dev"),
      database: () => ({
        clusterArn: "arn:aws:rds:us-east-1:000000000000:cluster:other",
        secretArn: "arn:aws:secretsmanager:us-east-1:000000000000:secret:other",
        databaseName: "elsewhere",
        endpoint: "http://127.0.0.1:8080",
        ready: [],
        grantDataApi: (_grantee, calls) => granted.push(calls.join()),
      }),
    });

    const template = Template.fromStack(stack);

    template.resourceCountIs("AWS::RDS::DBCluster", 0);
    template.resourceCountIs("AWS::EC2::VPC", 0);
    template.resourcePropertiesCountIs(
      "AWS::Lambda::Function",
      {
        Environment: {
          Variables: Match.objectLike({
            DATABASE_NAME: "elsewhere",
            AWS_ENDPOINT_URL_RDS_DATA: "http://127.0.0.1:8080",
          }),
        },
      },
      databaseFunctions().length,
    );
    expect(granted).toHaveLength(databaseFunctions().length);
  });
});
