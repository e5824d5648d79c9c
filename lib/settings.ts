import { readFileSync } from "node:fs";
import { join } from "node:path";
import { RemovalPolicy } from "aws-cdk-lib";
import { RetentionDays } from "aws-cdk-lib/aws-logs";
import * as z from "zod";
import type { IngestEnvironment as Environment } from "../functions/adapters/lambda/environment-schemas.ts";
import { ARCHIVES, RETENTIONS } from "../functions/core/retention.ts";
import { edgeSettings } from "./edge-settings.ts";

/** In ACU; each has about 2 GiB. */
const capacity = z.number().max(256).multipleOf(0.5);

const unknownEvents = z.enum(["accept", "refuse"] satisfies Environment["UNKNOWN_TYPES"][]);

const shape = {
  /** The fate of the database when the stack is deleted. */
  databaseRemovalPolicy: z.enum([RemovalPolicy.DESTROY, RemovalPolicy.SNAPSHOT]),
  /** Zero lets the database pause, when it costs only its storage. */
  databaseMinCapacity: capacity.min(0),
  databaseMaxCapacity: capacity.min(1),
  /**
   * Idle minutes until a database pauses whose smallest capacity is zero.
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html
   */
  databaseAutoPauseMinutes: z.int().min(5).max(1_440),
  /** Instances besides the writer. One in another zone takes over when the writer fails; the Data API never reads from it. */
  databaseReaders: z.int().min(0).max(15),
  /** A cluster outside the stack in place of the stack's own, for example a restored one. */
  existingDatabase: z.optional(
    z.strictObject({
      clusterArn: z.string().regex(/^arn:[\w-]+:rds:[\w-]+:\d{12}:cluster:.+$/, "is not the ARN of a DB cluster"),
      secretArn: z.string().regex(/^arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:.+$/, "is not the ARN of a secret"),
      databaseName: z.string().min(1),
    }),
  ),
  /** Of the stack's own cluster, and of the tables of keys, tenants, audit and jobs. */
  deletionProtection: z.boolean(),
  /** The fate of the queues, and of the events in them, when the stack is deleted. */
  queueRemovalPolicy: z.enum([RemovalPolicy.DESTROY, RemovalPolicy.RETAIN]),
  /** The fate of keys, tenants, the audit log and exports, and of the secret under which keys are hashed, when the stack is deleted. */
  accessRemovalPolicy: z.enum([RemovalPolicy.DESTROY, RemovalPolicy.RETAIN]),
  /** Of the functions, the API and the CDK's own functions. */
  logRetentionDays: z.enum(RetentionDays),
  logLevel: z.enum(["INFO", "WARN", "ERROR"] satisfies Environment["LOG_LEVEL"][]),
  /**
   * Percent of the requests that X-Ray records, beside the first of each second; zero switches X-Ray off. A client that sends
   * `X-Amzn-Trace-Id` with `Sampled=1` is recorded in any case.
   */
  xrayPercent: z.optional(z.number().min(0).max(100)),
  /** Spans of all invocations as lines of OTLP in the logs. @default none are made */
  otlp: z.optional(z.enum(["logs"])),
  /** The treatment of events whose type is not in the catalog. */
  unknownTypes: unknownEvents,
  /**
   * The treatment of events of a type in the catalog with another `dataschema` than its versions have. Their data is not
   * checked, so a typo in `dataschema` would switch the check off.
   */
  unknownVersions: unknownEvents,
  /** Other queues to which a replay may send, by their ARNs; for keys of the installation. @default none */
  replayQueues: z.optional(
    z
      .array(z.string().regex(/^arn:[\w-]+:sqs:[\w-]+:\d{12}:[\w-]{1,80}$/, "is not the ARN of a standard queue"))
      .min(1),
  ),
  /** The sender of e-mails to subscribers: an address that SES, or the server of `smtpUrl`, takes. @default there are none */
  emailFrom: z.optional(z.email("is not an e-mail address")),
  /** A server of SMTP in place of SES, which asks for no password: one would stand in the template. @default SES of the stack's account and region */
  smtpUrl: z.optional(
    z.string().regex(/^smtps?:\/\/[^\s/@]+$/, "is not the address of an SMTP server without a user: smtps://host:465"),
  ),
  /** Topics and queues to which subscriptions may deliver, by their ARNs; also those of first-in-first-out. @default none */
  notifyTopics: z.optional(
    z
      .array(z.string().regex(/^arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]{1,256}(\.fifo)?$/, "is not the ARN of a topic"))
      .min(1),
  ),
  notifyQueues: z.optional(
    z
      .array(z.string().regex(/^arn:[\w-]+:sqs:[\w-]+:\d{12}:[\w-]{1,80}(\.fifo)?$/, "is not the ARN of a queue"))
      .min(1),
  ),
  /** For how long events are kept whose type in the catalog says nothing about it. */
  retention: z.enum(RETENTIONS),
  /** Whether the events of a day are archived before retention drops them (docs/archive.md). */
  archive: z.enum(ARCHIVES),
  /** Days after which rollups are deleted, the counts and sums of events of each minute, hour and day. @default never */
  rollupRetentionDays: z.optional(z.int().min(7).max(36_500)),
  /** Days after which dead letters are deleted that are discarded, or stored by a replay. An open one is never deleted. @default never */
  deadLetterRetentionDays: z.optional(z.int().min(1).max(36_500)),
  /** A dashboard of CloudWatch: three of an account are free. */
  dashboard: z.boolean(),
  /** The service level objectives, with alarms on their error budgets. */
  objectives: z.boolean(),
  /** Address that AWS sends every alarm to, once its owner has confirmed the subscription. @default nobody */
  alarmEmail: z.optional(z.email("is not an e-mail address")),
  ...edgeSettings,
};

/** The settings of a stage. Everything else is the same in all stages. */
export type Settings = z.infer<z.ZodObject<typeof shape>>;

/** The settings of somebody's own stage, or in place of a stage's defaults. */
export type OwnSettings = Partial<Settings> & {
  /** The stage whose defaults it has. @default the stage itself */
  readonly like?: "dev" | "prod" | undefined;
};

const ownSettings = z
  .strictObject(
    { ...shape, like: z.enum(["dev", "prod"]) },
    {
      error: ({ code, keys }) =>
        code === "unrecognized_keys"
          ? `${String(keys)}: there is no such setting. The settings are ${Object.keys(shape).join(", ")}, like`
          : undefined,
    },
  )
  .partial();

/** The name is part of those of the stack, the queue (at most 80 characters) and the API's stage. */
const settingsFile = z.record(z.string().regex(/^[a-z][a-z0-9-]{0,39}$/), ownSettings, {
  error: ({ code }) =>
    code === "invalid_key" ? "A stage has a name of at most 40 characters: a-z, 0-9 and hyphens" : undefined,
});

const SETTINGS_FILE = "sluice.config.json";

/**
 * Reads the settings of one's own, by stage, from `sluice.config.json`, which git ignores. Without the file there are none.
 * @throws Error that names the stage and the key, and the values it takes
 */
export function readSettings(folder = join(import.meta.dirname, "..")): Record<string, OwnSettings> {
  const text = readIfPresent(join(folder, SETTINGS_FILE));
  if (text === undefined) return {};
  const parsed = settingsFile.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new Error(
    `${SETTINGS_FILE} is not valid; docs/deploy.md#settings explains it.\n${z.prettifyError(parsed.error)}`,
  );
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${SETTINGS_FILE} is not JSON: ${(cause as Error).message}`, { cause });
  }
}
