import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { stageConfig } from "../../lib/stage-config.ts";
import { stageOnTarget } from "../../lib/deploy-target.ts";
import { CERTIFICATE_SETTINGS, FULL_SETTINGS } from "./full-settings.ts";
import { stageWith, synthesizeStack } from "./support.ts";

const existingDatabase = {
  clusterArn: "arn:aws:rds:us-east-1:000000000000:cluster:restored",
  secretArn: "arn:aws:secretsmanager:us-east-1:000000000000:secret:restored",
  databaseName: "sluice",
};
const { name, certificateArn } = FULL_SETTINGS.domain;

/** A template against a rule of cdk-nag or of CloudFormation makes `synth` throw, unless it is acknowledged with a reason. */
describe("cdk-nag AwsSolutions, and the rules of CloudFormation", () => {
  it.each(["dev", "prod"] as const)("the rules find nothing in %s that is not acknowledged with a reason", (stage) => {
    const synthesize = () => synthesizeStack(stage, { nag: true, validate: true }, (app) => app.synth());

    expect(synthesize).not.toThrow();
  });

  it.each([
    { deletionProtection: false },
    { databaseMinCapacity: 0, databaseReaders: 2, logRetentionDays: 7, alarmEmail: "on-call@example.com" },
    { existingDatabase },
  ])("the rules find nothing in prod with %j that is not acknowledged with a reason", (settings) => {
    const synthesize = () =>
      synthesizeStack({ ...stageConfig("prod"), ...settings }, { nag: true, validate: true }, (app) => app.synth());

    expect(synthesize).not.toThrow();
  });

  it.each([
    ["with every setting for browsers", FULL_SETTINGS],
    ["with every setting for client certificates", CERTIFICATE_SETTINGS],
    [
      "with topics, queues and an address to send from",
      {
        emailFrom: "sluice@example.com",
        notifyTopics: ["arn:aws:sns:eu-central-1:111122223333:alerts"],
        notifyQueues: ["arn:aws:sqs:eu-central-1:111122223333:other"],
        replayQueues: ["arn:aws:sqs:eu-central-1:111122223333:other"],
        deadLetterRetentionDays: 30,
        tlsPolicy: "SecurityPolicy_TLS13_1_3_2025_09",
      },
    ],
    [
      "with a mail server, and a domain beside the API's own address",
      {
        emailFrom: "sluice@example.com",
        smtpUrl: "smtps://mail.example.com:465",
        domain: { name, certificateArn, keepDefaultEndpoint: true },
        corsOrigins: ["https://app.example.com"],
      },
    ],
  ])("the rules find nothing in a stage %s that is not acknowledged with a reason", (_, settings) => {
    const synthesize = () => synthesizeStack(stageWith(settings), { nag: true, validate: true }, (app) => app.synth());

    expect(synthesize).not.toThrow();
  });

  it("the rules of CloudFormation find nothing in the stage for an emulator", () => {
    const database = { ...existingDatabase, endpoint: "http://127.0.0.1:5432" };
    const stage = stageOnTarget(stageWith(FULL_SETTINGS), "localstack");

    const synthesize = () => synthesizeStack(stage, { validate: true, target: { database } }, (app) => app.synth());

    expect(synthesize).not.toThrow();
  });

  it("the existing network is used without a warning, and without a look-up in an account", () => {
    const { messages, report, missing } = synthesizeStack(stageWith(FULL_SETTINGS), { validate: true }, (app) => {
      const assembly = app.synth();
      const text = readFileSync(join(assembly.directory, "validation-report.json"), "utf8");
      return {
        messages: assembly.stacks.flatMap((stack) => stack.messages.map(({ entry }) => entry.data)),
        report: JSON.parse(text) as { pluginReports: { violations: unknown[] }[] },
        missing: assembly.manifest.missing ?? [],
      };
    });

    // Each path of the API has three resources or more. CloudFormation allows 500.
    expect(messages).toEqual([expect.stringMatching(/^Number of resources: 4[0-2]\d is approaching/)]);
    expect(report.pluginReports.map(({ violations }) => violations)).toEqual([[]]);
    expect(missing).toEqual([]);
  });
});
