import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readSettings } from "../../lib/settings.ts";
import { edgeSettings } from "../../lib/edge-settings.ts";
import { stageConfig } from "../../lib/stage-config.ts";
import { CERTIFICATE_SETTINGS, FULL_SETTINGS } from "./full-settings.ts";
import { inTemporaryFolder, settingsIn, stageWith } from "./support.ts";

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

const { domain, webAclArn, existingVpc } = FULL_SETTINGS;
const { mtls } = CERTIFICATE_SETTINGS;
const tagsOf = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`tag${index}`, "1"]));

describe("sluice.config.json", () => {
  it("sluice.config.json may be missing: then the stages are as they come", () => {
    expect(inTemporaryFolder(readSettings)).toEqual({});
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

  it("a stage keeps events for 30 days in dev without an archive, and in prod for 400 days and archives them, unless it says otherwise", () => {
    expect(stageConfig("dev")).toMatchObject({ retention: "30d", archive: "none" });
    expect(stageConfig("prod")).toMatchObject({ retention: "400d", archive: "before-drop" });
    expect(stageConfig("dev", settingsIn({ dev: { retention: "keep", archive: "before-drop" } }))).toMatchObject({
      retention: "keep",
      archive: "before-drop",
    });
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
    [{ dev: { retention: "14d" } }, ['"7d"|"30d"|"90d"|"400d"|"keep"', "at dev.retention"]],
    [{ dev: { rollupRetentionDays: 6 } }, ["at dev.rollupRetentionDays"]],
    [{ dev: { archive: "always" } }, ['"none"|"before-drop"', "at dev.archive"]],
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
    [{ dev: { accessRemovalPolicy: "snapshot" } }, ['"destroy"|"retain"', "at dev.accessRemovalPolicy"]],
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
    [{ dev: { domain: { ...domain, name: "Events.example.com" } } }, ["in lower case", "at dev.domain.name"]],
    [{ dev: { domain: { ...domain, name: "https://example.com" } } }, ["is not the name of a host"]],
    [{ dev: { domain: { ...domain, certificateArn: "events" } } }, ["is not the ARN of a certificate"]],
    [{ dev: { domain: { ...domain, hostedZone: { id: "example.com", name: "example.com" } } } }, ["hosted zone"]],
    [{ dev: { tlsPolicy: "TLS_1_3" } }, ['"SecurityPolicy_TLS13_1_3_2025_09"|', "at dev.tlsPolicy"]],
    [{ dev: { mtls: { bucket: "truststore" } } }, ["at dev.mtls.key"]],
    [{ dev: { webAclArn: webAclArn.replace("regional", "global") } }, ["regional web ACL", "at dev.webAclArn"]],
    [{ dev: { ipAllowList: [] } }, ["at dev.ipAllowList"]],
    [{ dev: { ipAllowList: ["203.0.113.7"] } }, ["203.0.113.7/32", "at dev.ipAllowList[0]"]],
    [{ dev: { ipAllowList: ["203.0.113.0/33"] } }, ["is not a range", "at dev.ipAllowList[0]"]],
    [{ dev: { ipAllowList: ["203.0.113.256/32"] } }, ["is not a range", "at dev.ipAllowList[0]"]],
    [{ dev: { ipAllowList: ["2001:db8::/32"] } }, ["has no IPv6 address", "at dev.ipAllowList[0]"]],
    [{ dev: { ipAllowList: ["8.8.8.8/32", "172.31.0.0/16"] } }, ["is a private range", "at dev.ipAllowList[1]"]],
    ...["*", "app.example.com", "https://app.example.com/", "https://*.example.com/", "HTTPS://app.example.com"].map(
      (origin): [unknown, string[]] => [
        { dev: { corsOrigins: [origin] } },
        ["is not an origin like https://app.example.com", "at dev.corsOrigins[0]"],
      ],
    ),
    [{ dev: { corsOrigins: ["https://app.example.com:443"] } }, ["is not an origin", "at dev.corsOrigins[0]"]],
    [{ dev: { reservedConcurrency: { reader: 1 } } }, ["There is no such function. They are ingest, consume"]],
    [{ dev: { reservedConcurrency: { query: 0 } } }, [">=1", "at dev.reservedConcurrency.query"]],
    [{ dev: { tags: { "aws:team": "1" } } }, ["does not begin with aws:", 'at dev.tags["aws:team"]']],
    [{ dev: { tags: { stage: "1" } } }, ["is not application or stage", "at dev.tags.stage"]],
    [{ dev: { tags: { team: "a".repeat(257) } } }, ["is not the value of a tag", "at dev.tags.team"]],
    [{ dev: { tags: tagsOf(49) } }, ["more than 48 tags", "at dev.tags"]],
    [{ dev: { permissionsBoundaryArn: "bounds" } }, ["is not the ARN of a managed policy"]],
    [{ dev: { existingVpc: { ...existingVpc, vpcId: "vpc-0a1b2c3" } } }, ["is not the id of a VPC"]],
    [{ dev: { existingVpc: { ...existingVpc, subnets: { "us-east-1a": "subnet-0a1b2c3d" } } } }, ["two or more zones"]],
    [
      { dev: { existingVpc: { ...existingVpc, subnets: { a: "subnet-0a1b2c3d", b: "subnet-0e5f6a7b" } } } },
      ["two or more zones"],
    ],
    [
      { dev: { existingVpc: { ...existingVpc, subnets: { "us-east-1a": "subnet-0a1b2c3d4" } } } },
      ["is not the id of a subnet"],
    ],
  ])("sluice.config.json with %j is refused with %j", (content, words) => {
    for (const word of words) expect(refusalOf(content)).toContain(word);
  });
});

describe("the limits of settings", () => {
  it("the limits of settings are accepted: 48 tags, a value of 256 characters, one range of one address", () => {
    const settings = { tags: { ...tagsOf(47), value: "a".repeat(256) }, ipAllowList: ["203.0.113.7/32"] };

    expect(stageWith(settings)).toMatchObject(settings);
  });
});

describe("settings that contradict each other", () => {
  it.each<[string, object, string]>([
    [
      "a domain outside its hosted zone",
      { domain: { ...domain, hostedZone: { id: "Z1", name: "ample.com" } } },
      "has the domain events.example.com, which is not in its hosted zone ample.com. Name the zone",
    ],
    ["client certificates without a domain", { mtls }, "has mtls without a domain. API Gateway asks"],
    [
      "client certificates and the default address",
      { mtls, domain: { ...domain, keepDefaultEndpoint: true } },
      "has mtls and keepDefaultEndpoint. The default address asks for no certificate",
    ],
    [
      "client certificates and a TLS policy",
      { mtls, domain, tlsPolicy: FULL_SETTINGS.tlsPolicy },
      "has mtls and the tlsPolicy SecurityPolicy_TLS13_1_2_PQ_2025_09, which API Gateway does not offer together.",
    ],
    [
      "client certificates and pages of other origins",
      { mtls, domain, corsOrigins: FULL_SETTINGS.corsOrigins },
      "has mtls and corsOrigins. A browser sends no certificate with a preflight",
    ],
    [
      "a consumer with less concurrency than its queue uses",
      { reservedConcurrency: { consume: 4 } },
      "has a reservedConcurrency of 4 for consume, which its queue invokes up to 5 times at once.",
    ],
    [
      "a function of deliveries with less concurrency than its queue uses",
      { reservedConcurrency: { notify: 4 } },
      "has a reservedConcurrency of 4 for notify, which its queue invokes up to 5 times at once.",
    ],
    [
      "rollups that end before the events",
      { retention: "90d", rollupRetentionDays: 89 },
      "has a rollupRetentionDays of 89, and a retention of 90d. Rollups outlive events: give 90 or more",
    ],
    [
      "an existing database and a network for the stack's own",
      { existingDatabase, existingVpc },
      "has an existingDatabase, so existingVpc would do nothing.",
    ],
  ])("settings that contradict each other are refused: %s", (_, settings, message) => {
    expect(() => stageWith(settings)).toThrow(`The stage own ${message}`);
  });

  it.each([
    ["the domain of the zone itself", { domain: { ...domain, name: "example.com" } }],
    ["a domain in a zone elsewhere", { domain: { ...domain, hostedZone: undefined } }],
    ["rollups that are kept as long as the events", { retention: "90d", rollupRetentionDays: 90 }],
    ["rollups with an end of events without one", { retention: "keep", rollupRetentionDays: 7 }],
    ["as much concurrency for the consumer as its queue uses", { reservedConcurrency: { consume: 5 } }],
    ["as much concurrency for deliveries as their queue uses", { reservedConcurrency: { notify: 5 } }],
    ["everything at once", FULL_SETTINGS],
    ["client certificates", CERTIFICATE_SETTINGS],
  ])("settings that fit together are accepted: %s", (_, settings) => {
    expect(stageWith(settings)).toHaveProperty("name", "own");
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
  });

  it("a stage with an existing database still protects the tables of keys, or not", () => {
    expect(stageConfig("prod", { prod: { existingDatabase, deletionProtection: false } })).toMatchObject({
      deletionProtection: false,
    });
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
      const texts = values.map((value) => (typeof value === "object" ? JSON.stringify(value) : String(value)));
      expect(documented, names.join()).toBe(texts.join(", "));
    }
  });

  it("docs/deploy.md has a line in its production checklist for each setting of the edge, and each is accepted", () => {
    const [checklist = ""] =
      /^## Production checklist\n[^]*?(?=\n## )/m.exec(readFileSync("docs/deploy.md", "utf8")) ?? [];
    const lines = [...checklist.matchAll(/^\| .+ \| `(".+)` \| .+ \|$/gm)].map(([, line = ""]) =>
      line.replaceAll("REGION", "us-east-1").replaceAll("ACCOUNT", "123456789012"),
    );
    const settings = lines.map((line) => JSON.parse(`{ ${line} }`) as Record<string, unknown>);
    const named = settings.flatMap((each) => Object.keys(each));

    expect(named).toEqual(expect.arrayContaining(Object.keys(edgeSettings)));
    expect(named).toEqual(expect.arrayContaining(["alarmEmail", "databaseReaders", "databaseMaxCapacity"]));
    for (const each of settings) expect(settingsIn({ prod: each })).toEqual({ prod: each });
  });

  it("docs/deploy.md shows a file that is accepted", () => {
    const [, example = ""] = /```json\n([^]*?)```/.exec(section) ?? [];

    expect(Object.keys(settingsIn(example))).toEqual(["prod", "staging"]);
  });
});
