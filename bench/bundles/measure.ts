import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import type * as Environments from "../../functions/adapters/lambda/environment-schemas.ts";
import { FUNCTIONS } from "../../functions/core/functions.ts";
import { buildHandler, DEPLOYED } from "../../lib/bundle.ts";
import { bundlePage } from "../../lib/bundle-page.ts";
import { BUNDLE_OPTIONS } from "../../lib/bundle-options.ts";
import { spread } from "../rounds.ts";

export type BundleFigures = {
  /** The function's name. */
  name: string;
  /** SDK clients of the baseline; empty for a function without one. */
  clients: string[];
  /** Minified, as deployed, without the source map. */
  bytes: number;
  baselineBytes: number;
  /** Processor time of `require`, which on an idle machine equals its duration; the median of fresh processes. */
  importMilliseconds: number;
  baselineImportMilliseconds: number;
};

const packages: Record<string, string> = {
  SQSClient: "@aws-sdk/client-sqs",
  RDSDataClient: "@aws-sdk/client-rds-data",
  DynamoDBClient: "@aws-sdk/client-dynamodb",
  SecretsManagerClient: "@aws-sdk/client-secrets-manager",
  S3Client: "@aws-sdk/client-s3",
  CloudWatchClient: "@aws-sdk/client-cloudwatch",
};

/**
 * Measures size and import time of each function's bundle. Its baseline is a bundle that only makes the same SDK clients, as
 * the SDK makes them by default. Neither has its source map enabled: ours reads its map with the first stack trace
 * (docs/decisions/0021).
 * @param runs fresh processes for each bundle
 */
export function measureBundles({ runs = 9 }: { runs?: number } = {}): BundleFigures[] {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bundles-"));
  try {
    const codeFolder = join(folder, "code");
    writeFilesBesideCode(codeFolder);
    return FUNCTIONS.map((name) => {
      const ours = join(folder, name);
      const baseline = join(folder, `${name}-baseline`);
      buildHandler(name, ours, DEPLOYED);
      const clients = clientsIn(ours);
      buildBaseline(clients, baseline);
      const times = { ours: [] as number[], baseline: [] as number[] };
      for (let run = 0; run < runs; run++) {
        times.ours.push(importMilliseconds(ours, codeFolder));
        times.baseline.push(importMilliseconds(baseline, codeFolder));
      }
      return {
        name,
        clients,
        bytes: bundleBytes(ours),
        baselineBytes: bundleBytes(baseline),
        importMilliseconds: spread(times.ours).median,
        baselineImportMilliseconds: spread(times.baseline).median,
      };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The SDK clients of a bundle, by the source files in its map. */
function clientsIn(folder: string): string[] {
  const { sources } = JSON.parse(readFileSync(join(folder, "index.js.map"), "utf8")) as { sources: string[] };
  return Object.keys(packages).filter((client) => sources.some((file) => file.includes(`/${packages[client]}/`)));
}

function buildBaseline(clients: string[], outputDir: string): void {
  const contents = clients.map((client) => `import { ${client} } from "${packages[client]}";`).join("\n");
  const made = clients.map((client) => `new ${client}()`).join(", ");
  buildSync({
    ...BUNDLE_OPTIONS,
    stdin: {
      contents: `${contents}\nconst clients = [${made}];\nexport const handler = async () => clients.length;`,
      resolveDir: ".",
    },
    outfile: join(outputDir, "index.js"),
  });
}

function bundleBytes(folder: string): number {
  return statSync(join(folder, "index.js")).size;
}

/** The files that functions read at their start. */
function writeFilesBesideCode(folder: string): void {
  cpSync("functions/sql", join(folder, "sql"), { recursive: true });
  bundlePage(folder);
}

/** Measures in a process that has loaded nothing else. */
function importMilliseconds(folder: string, codeFolder: string): number {
  const file = JSON.stringify(join(folder, "index.js"));
  const script = `const before = process.cpuUsage(); require(${file}); const { user, system } = process.cpuUsage(before); process.stdout.write(String((user + system) / 1_000));`;
  const output = execFileSync(process.execPath, ["-e", script], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], LAMBDA_TASK_ROOT: codeFolder, ...ENVIRONMENT },
  });
  return Number(output);
}

type Variables = Environments.IngestEnvironment &
  Environments.ConsumeEnvironment &
  Environments.DrainEnvironment &
  Environments.QueryEnvironment &
  Environments.ExportEnvironment &
  Environments.ReplayEnvironment &
  Environments.NotifyEnvironment &
  Environments.StatusEnvironment &
  Environments.RetainEnvironment &
  Environments.MigrateEnvironment &
  Environments.RotateEnvironment &
  Environments.AccessEnvironment &
  Environments.ConsoleEnvironment &
  Environments.ApiDocsEnvironment;

/** The variables that the functions read at their start, and those that Lambda sets. */
const ENVIRONMENT: Variables & Record<string, string | undefined> = {
  STAGE: "bench",
  METRICS_NAMESPACE: "Sluice",
  LOG_LEVEL: "INFO",
  QUEUE_URL: "https://sqs.eu-central-1.amazonaws.com/123456789012/events",
  DEAD_LETTER_QUEUE_URL: "https://sqs.eu-central-1.amazonaws.com/123456789012/dead-letters",
  QUEUE_VISIBILITY_SECONDS: "370",
  ACCESS_TABLE: "access",
  USAGE_TABLE: "usage",
  AUDIT_TABLE: "audit",
  JOBS_TABLE: "jobs",
  STATUS_TABLE: "status",
  STATUS_QUEUE_URL: "https://sqs.eu-central-1.amazonaws.com/123456789012/status",
  WAKE_QUEUE_URL: "https://sqs.eu-central-1.amazonaws.com/123456789012/wakes",
  STEPS_QUEUE_URL: "https://sqs.eu-central-1.amazonaws.com/123456789012/steps",
  VERSION: "0.1.0",
  BUILD: "0",
  BUCKET: "exports",
  EXPORT_BUCKET: "exports",
  RETENTION: "90d",
  ARCHIVE: "before-drop",
  ARCHIVE_BUCKET: "archive",
  ALARM_TOPIC_ARN: "arn:aws:sns:eu-central-1:123456789012:alarms",
  KEY_SECRET_ARN: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:keys",
  UNKNOWN_TYPES: "accept",
  UNKNOWN_VERSIONS: "refuse",
  CLUSTER_ARN: "arn:aws:rds:eu-central-1:123456789012:cluster:events",
  SECRET_ARN: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:events",
  WRITER_SECRET_ARN: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:writer",
  READER_SECRET_ARN: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:reader",
  DATABASE_NAME: "sluice",
  AWS_REGION: "eu-central-1",
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "local",
};
