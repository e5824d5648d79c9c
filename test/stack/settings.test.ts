import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readSettings } from "../../lib/settings.ts";
import { stageConfig } from "../../lib/stage-config.ts";
import { temporaryOutdir } from "./support.ts";

/** The settings in a file with this content. */
function settingsIn(content: unknown) {
  const folder = temporaryOutdir();
  writeFileSync(join(folder, "sluice.config.json"), typeof content === "string" ? content : JSON.stringify(content));
  return readSettings(folder);
}

/** The message that refuses a file with this content; empty for one that is accepted. */
function refusalOf(content: unknown): string {
  try {
    settingsIn(content);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

const existingDatabase = {
  clusterArn: "arn:aws:rds:eu-central-1:123456789012:cluster:restored",
  secretArn: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!cluster-1-AbCdEf",
  databaseName: "sluice",
};

describe("sluice.config.json", () => {
  it("sluice.config.json may be missing: then the stages are as they come", () => {
    expect(readSettings(temporaryOutdir())).toEqual({});
  });

  it("sluice.config.json takes the place of a stage's settings, one by one", () => {
    const own = settingsIn({
      prod: { alarmEmail: "on-call@example.com", databaseMaxCapacity: 32, logRetentionDays: 90 },
    });

    expect(stageConfig("prod", own)).toEqual({
      ...stageConfig("prod"),
      alarmEmail: "on-call@example.com",
      databaseMaxCapacity: 32,
      logRetentionDays: 90,
    });
    expect(stageConfig("dev", own)).toEqual(stageConfig("dev"));
  });

  it("sluice.config.json makes stages of one's own, each with the defaults of another", () => {
    const own = settingsIn({ staging: { like: "prod", deletionProtection: false } });

    expect(stageConfig("staging", own)).toEqual({ ...stageConfig("prod"), name: "staging", deletionProtection: false });
  });

  it("sluice.config.json points a stage at an existing database", () => {
    expect(stageConfig("prod", settingsIn({ prod: { existingDatabase } }))).toMatchObject({ existingDatabase });
  });

  it.each<[unknown, string[]]>([
    ["{", ["sluice.config.json is not JSON"]],
    [[], ["sluice.config.json", "expected record"]],
    [{ prod: { alarmMail: "a@example.com" } }, ["alarmMail: there is no such setting", "alarmEmail", "at prod"]],
    [{ prod: { alarmEmail: "on-call" } }, ["is not an e-mail address", "at prod.alarmEmail"]],
    [{ prod: { alarmEmail: "" } }, ["is not an e-mail address", "at prod.alarmEmail"]],
    [{ prod: { alarmEmail: "on-call@" } }, ["is not an e-mail address", "at prod.alarmEmail"]],
    [{ prod: { alarmEmail: "https://example.com" } }, ["is not an e-mail address", "at prod.alarmEmail"]],
    [{ dev: { unknownTypes: "reject" } }, ['expected one of "accept"|"refuse"', "at dev.unknownTypes"]],
    [{ dev: { logLevel: "info" } }, ['"INFO"|"WARN"|"ERROR"', "at dev.logLevel"]],
    [{ dev: { logRetentionDays: 31 } }, ["expected one of 1|3|5|7|14|30|60|90", "at dev.logRetentionDays"]],
    [{ dev: { databaseMinCapacity: 0.3 } }, ["multiple of 0.5", "at dev.databaseMinCapacity"]],
    [{ dev: { databaseMinCapacity: -0.5 } }, [">=0", "at dev.databaseMinCapacity"]],
    [{ dev: { databaseMaxCapacity: 0.5 } }, [">=1", "at dev.databaseMaxCapacity"]],
    [{ dev: { databaseMaxCapacity: 256.5 } }, ["<=256", "at dev.databaseMaxCapacity"]],
    [{ dev: { databaseAutoPauseMinutes: 4 } }, [">=5", "at dev.databaseAutoPauseMinutes"]],
    [{ dev: { databaseAutoPauseMinutes: 1_441 } }, ["<=1440", "at dev.databaseAutoPauseMinutes"]],
    [{ dev: { databaseReaders: 16 } }, ["<=15", "at dev.databaseReaders"]],
    [{ dev: { databaseRemovalPolicy: "retain" } }, ['"destroy"|"snapshot"', "at dev.databaseRemovalPolicy"]],
    [{ dev: { queueRemovalPolicy: "snapshot" } }, ['"destroy"|"retain"', "at dev.queueRemovalPolicy"]],
    [{ staging: { like: "production" } }, ['expected one of "dev"|"prod"', "at staging.like"]],
    [{ "My stage": { like: "dev" } }, ["a-z, 0-9 and hyphens", "My stage"]],
    [
      { prod: { existingDatabase: { ...existingDatabase, clusterArn: "restored" } } },
      ["is not the ARN of a DB cluster", "at prod.existingDatabase.clusterArn"],
    ],
    [
      { prod: { existingDatabase: { ...existingDatabase, secretArn: existingDatabase.clusterArn } } },
      ["is not the ARN of a secret", "at prod.existingDatabase.secretArn"],
    ],
    [
      { prod: { existingDatabase: { ...existingDatabase, databaseName: undefined } } },
      ["at prod.existingDatabase.databaseName"],
    ],
  ])("sluice.config.json with %j is refused with %j", (content, words) => {
    for (const word of words) expect(refusalOf(content)).toContain(word);
  });
});

describe("a stage", () => {
  it.each([["staging"], ["constructor"], [7]])(
    "a stage %j that nobody made is refused, with those that exist",
    (name) => {
      expect(() => stageConfig(name)).toThrow(
        `Unknown stage ${JSON.stringify(name)}. Give one of dev, prod with -c stage=NAME, or make it in sluice.config.json`,
      );
    },
  );

  it("a stage of one's own without defaults is refused", () => {
    expect(() => stageConfig("staging", { staging: { logLevel: "WARN" } })).toThrow('"staging": { "like": "prod" }');
  });

  it("a stage whose smallest capacity is above its largest is refused", () => {
    expect(() => stageConfig("prod", { prod: { databaseMinCapacity: 16 } })).toThrow(
      "The stage prod has a databaseMinCapacity of 16, above its databaseMaxCapacity of 8.",
    );
  });

  it("a stage with an existing database is refused with settings of the stack's own", () => {
    expect(() => stageConfig("prod", { prod: { existingDatabase, databaseReaders: 2 } })).toThrow(
      "The stage prod has an existingDatabase, so databaseReaders would do nothing.",
    );
    expect(() => stageConfig("prod", { prod: { existingDatabase, deletionProtection: false } })).toThrow(
      "so deletionProtection would do nothing.",
    );
  });
});

describe("docs/deploy.md", () => {
  const [section = ""] = /^## Settings\n[^]*?(?=\n## )/m.exec(readFileSync("docs/deploy.md", "utf8")) ?? [];
  const rows = [...section.matchAll(/^\| (`.+?) \| .+ \| (.*?) ?\| (.*?) ?\|$/gm)].map(([, names = "", dev, prod]) => ({
    names: [...names.matchAll(/\w+/g)].map(([name]) => name),
    dev: dev?.replaceAll("`", ""),
    prod: prod?.replaceAll("`", ""),
  }));

  it("docs/deploy.md lists exactly the settings there are", () => {
    const [, names = ""] = /The settings are (.+)$/m.exec(refusalOf({ dev: { nothing: 1 } })) ?? [];

    expect(rows.flatMap(({ names }) => names).toSorted()).toEqual(names.split(", ").toSorted());
  });

  it.each(["dev", "prod"] as const)("docs/deploy.md has the settings of %s as they are", (stage) => {
    const config: Record<string, unknown> = stageConfig(stage);

    for (const { names, [stage]: documented } of rows) {
      const values = names.map((name) => config[name]).filter((value) => value !== undefined);
      expect(documented, names.join()).toBe(values.join(", "));
    }
  });

  it("docs/deploy.md shows a file that is accepted", () => {
    const [, example = ""] = /```json\n([^]*?)```/.exec(section) ?? [];

    expect(Object.keys(settingsIn(example))).toEqual(["prod", "staging"]);
  });
});
