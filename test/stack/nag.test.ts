import { describe, expect, it } from "vitest";
import { stageConfig } from "../../lib/stage-config.ts";
import { CERTIFICATE_SETTINGS, FULL_SETTINGS } from "./full-settings.ts";
import { stageWith, synthesizeStack } from "./support.ts";

const existingDatabase = {
  clusterArn: "arn:aws:rds:us-east-1:000000000000:cluster:restored",
  secretArn: "arn:aws:secretsmanager:us-east-1:000000000000:secret:restored",
  databaseName: "sluice",
};

describe("cdk-nag AwsSolutions", () => {
  it.each(["dev", "prod"] as const)("cdk-nag finds nothing in %s that is not acknowledged with a reason", (stage) => {
    const synthesize = () => synthesizeStack(stage, { nag: true }, (app) => app.synth());

    expect(synthesize).not.toThrow();
  });

  it.each([
    { deletionProtection: false },
    { databaseMinCapacity: 0, databaseReaders: 2, logRetentionDays: 7, alarmEmail: "on-call@example.com" },
    { existingDatabase },
  ])("cdk-nag finds nothing in prod with %j that is not acknowledged with a reason", (settings) => {
    const synthesize = () =>
      synthesizeStack({ ...stageConfig("prod"), ...settings }, { nag: true }, (app) => app.synth());

    expect(synthesize).not.toThrow();
  });

  it.each([
    ["with every setting for browsers", FULL_SETTINGS],
    ["with every setting for client certificates", CERTIFICATE_SETTINGS],
  ])("cdk-nag finds nothing in a stage %s that is not acknowledged with a reason", (_, settings) => {
    const synthesize = () => synthesizeStack(stageWith(settings), { nag: true }, (app) => app.synth());

    expect(synthesize).not.toThrow();
  });
});
