import * as z from "zod/mini";
import { UNKNOWN_EVENTS } from "../../core/catalog.ts";
import { LOG_LEVELS } from "../../core/log-lines.ts";
import { ARCHIVES, RETENTIONS } from "../../core/retention.ts";

/**
 * The variables of each function; a schema is made only in the function that reads it (environment.ts). lib/ fills a function's
 * variables through the input type of its schema, so a missing one fails the type check and not the deployment.
 */
const common = {
  STAGE: z.string().check(z.minLength(1)),
  METRICS_NAMESPACE: z.string().check(z.minLength(1)),
  LOG_LEVEL: z.enum(LOG_LEVELS),
  /** The output of spans: a line on stdout for each invocation, or a receiver of OTLP on this machine. @default none are made */
  OTLP: z.optional(z.enum(["logs"])),
  OTLP_ENDPOINT: z.optional(z.url()),
};

/** A list in one variable, separated by spaces. @default none */
const words = () =>
  z._default(
    z.pipe(
      z.string(),
      z.transform((text) => text.split(" ")),
    ),
    [],
  );

/** The variables of every function behind the API. */
const http = {
  /** Origins whose pages may call the API, separated by spaces. @default none */
  CORS_ORIGINS: words(),
};

/** An ARN. MiniStack 1.4.21 has the name of a secret in its place, which every call about a secret takes as well. */
const secret = z.string().check(z.minLength(1));

const database = {
  CLUSTER_ARN: z.string().check(z.startsWith("arn:")),
  /** The secret of the role that the function has in the database. */
  SECRET_ARN: secret,
  DATABASE_NAME: z.string().check(z.minLength(1)),
  /** The SDK itself reads it. Set only where the Data API is not the region's own. */
  AWS_ENDPOINT_URL_RDS_DATA: z.optional(z.url()),
};

/** The secrets of the roles, for the functions that set their passwords. */
const roleSecrets = {
  WRITER_SECRET_ARN: secret,
  READER_SECRET_ARN: secret,
};

/** The variables of a function that checks keys. */
const access = {
  /** Keys and tenants. */
  ACCESS_TABLE: z.string().check(z.minLength(1)),
  /** The last use of keys, and leases of limits. */
  USAGE_TABLE: z.string().check(z.minLength(1)),
  /** The secret under which keys are hashed. */
  KEY_SECRET_ARN: secret,
};

/** The queue of the wake-ups for the workers of notify. */
const wakes = { WAKE_QUEUE_URL: z.url() };

/** The queue of the function `status`. */
const statusQueue = { STATUS_QUEUE_URL: z.url() };

/** The table of the function `status`. */
const statusTable = { STATUS_TABLE: z.string().check(z.minLength(1)) };

/** The version of Sluice, and what tells two builds of it apart. */
const release = {
  VERSION: z.string().check(z.minLength(1)),
  BUILD: z.string().check(z.minLength(1)),
};

/** Set by Lambda: the folder of the function's code and of the files copied beside it. */
const codeFolder = { LAMBDA_TASK_ROOT: z.string().check(z.minLength(1)) };

/** Days after which something is deleted. @default never */
const days = z.optional(z.pipe(z.string().check(z.regex(/^[1-9]\d{0,4}$/)), z.transform(Number)));

/** For how long events are kept whose type says nothing about it. */
const retention = { RETENTION: z.enum(RETENTIONS) };

export const ingestEnvironment = () =>
  z.object({
    ...common,
    ...http,
    ...access,
    ...statusQueue,
    ...statusTable,
    QUEUE_URL: z.url(),
    UNKNOWN_TYPES: z.enum(UNKNOWN_EVENTS),
    UNKNOWN_VERSIONS: z.enum(UNKNOWN_EVENTS),
    ...retention,
  });

export const consumeEnvironment = () =>
  z.object({
    ...common,
    ...database,
    ...wakes,
    ...statusQueue,
    QUEUE_URL: z.url(),
    DEAD_LETTER_QUEUE_URL: z.url(),
    /** The mark of stored events is in it. */
    USAGE_TABLE: z.string().check(z.minLength(1)),
    QUEUE_VISIBILITY_SECONDS: visibilitySeconds(),
  });

/** The visibility timeout of the queue from which the function gets messages. */
const visibilitySeconds = () => z.pipe(z.string().check(z.regex(/^[1-9]\d{0,4}$/)), z.transform(Number));

export const drainEnvironment = () =>
  z.object({ ...common, ...database, ...statusQueue, DEAD_LETTER_QUEUE_URL: z.url() });

export const queryEnvironment = () => z.object({ ...common, ...http, ...access, ...database });

export const accessEnvironment = () =>
  z.object({
    ...common,
    ...http,
    ...access,
    AUDIT_TABLE: z.string().check(z.minLength(1)),
  });

export const exportEnvironment = () =>
  z.object({
    ...common,
    ...http,
    ...access,
    ...database,
    AUDIT_TABLE: z.string().check(z.minLength(1)),
    JOBS_TABLE: z.string().check(z.minLength(1)),
    /** The bucket of the files. */
    BUCKET: z.string().check(z.minLength(1)),
    /** The queue of the steps. */
    QUEUE_URL: z.url(),
    /** The SDK itself reads them. Set only where S3 is not the region's own. */
    AWS_ENDPOINT_URL: z.optional(z.url()),
    AWS_ENDPOINT_URL_S3: z.optional(z.url()),
  });

export const replayEnvironment = () =>
  z.object({
    ...common,
    ...http,
    ...access,
    ...database,
    ...statusQueue,
    AUDIT_TABLE: z.string().check(z.minLength(1)),
    /** The queue of events. */
    QUEUE_URL: z.url(),
    /** The queue of the steps. */
    STEPS_QUEUE_URL: z.url(),
    /** Other queues that a replay may send to, separated by spaces. @default none */
    REPLAY_QUEUE_URLS: words(),
    UNKNOWN_TYPES: z.enum(UNKNOWN_EVENTS),
    UNKNOWN_VERSIONS: z.enum(UNKNOWN_EVENTS),
  });

export const notifyEnvironment = () =>
  z.object({
    ...common,
    ...http,
    ...access,
    ...database,
    ...wakes,
    /** The secret of the reader, which finds events that a filter matches. */
    READER_SECRET_ARN: secret,
    AUDIT_TABLE: z.string().check(z.minLength(1)),
    QUEUE_VISIBILITY_SECONDS: visibilitySeconds(),
    /** The queue of events, into which the notices about subscriptions go. */
    QUEUE_URL: z.url(),
    /** Sinks may be `http://` on this machine; `--allow-http-sinks` of `npm start`, or of a deployment in an emulator, alone sets it. @default they may not */
    ALLOW_HTTP_SINKS: z._default(
      z.pipe(
        z.enum(["true", "false"]),
        z.transform((text) => text === "true"),
      ),
      false,
    ),
    /** The sender of e-mails. @default there are no sinks of the type `email` */
    EMAIL_FROM: z.optional(z.string().check(z.minLength(1))),
    /** An SMTP server. @default Amazon SES */
    SMTP_URL: z.optional(z.url()),
    /** ARNs of the topics and URLs of the queues that may be sinks. */
    NOTIFY_TOPIC_ARNS: words(),
    NOTIFY_QUEUE_URLS: words(),
  });

export const statusEnvironment = () =>
  z.object({
    ...common,
    ...http,
    ...access,
    ...database,
    ...wakes,
    ...statusQueue,
    ...statusTable,
    /** The queue of events. */
    QUEUE_URL: z.url(),
    DEAD_LETTER_QUEUE_URL: z.url(),
    /** The topic that every alarm of the stack notifies. The runtime on this machine empties it. @default there is no CloudWatch */
    ALARM_TOPIC_ARN: z.optional(z.string()),
    ...release,
  });

export const migrateEnvironment = () =>
  z.object({
    ...common,
    ...database,
    ...roleSecrets,
    ...wakes,
    ...codeFolder,
    ...retention,
    /** Days after which closed dead letters are deleted. @default never */
    DEAD_LETTER_RETENTION_DAYS: days,
  });

export const retainEnvironment = () =>
  z.object({
    ...common,
    ...http,
    ...access,
    ...database,
    ...retention,
    AUDIT_TABLE: z.string().check(z.minLength(1)),
    /** The queue of the steps. */
    STEPS_QUEUE_URL: z.url(),
    /** Days after which rollups are deleted. @default never */
    ROLLUP_RETENTION_DAYS: days,
    /** Whether days are archived before they are dropped, and the bucket of the archive. */
    ARCHIVE: z.enum(ARCHIVES),
    ARCHIVE_BUCKET: z.string().check(z.minLength(1)),
    /** The jobs and files of exports, and the table with the samples of refusals: what an erasure goes through. */
    JOBS_TABLE: z.string().check(z.minLength(1)),
    EXPORT_BUCKET: z.string().check(z.minLength(1)),
    STATUS_TABLE: z.string().check(z.minLength(1)),
    /** The SDK itself reads them. Set only where S3 is not the region's own. */
    AWS_ENDPOINT_URL: z.optional(z.url()),
    AWS_ENDPOINT_URL_S3: z.optional(z.url()),
  });

export const rotateEnvironment = () => z.object({ ...common, ...database, ...roleSecrets });

export const consoleEnvironment = () =>
  z.object({
    ...common,
    ...http,
    ...access,
    ...codeFolder,
    ...release,
    AUDIT_TABLE: z.string().check(z.minLength(1)),
  });

export const apiDocsEnvironment = () => z.object({ ...common, ...http, ...codeFolder });

export type CommonEnvironment = z.input<z.ZodMiniObject<typeof common>>;
export type HttpEnvironment = z.input<z.ZodMiniObject<typeof http>>;
export type KeyCheckEnvironment = z.input<z.ZodMiniObject<typeof access>>;
export type DatabaseEnvironment = z.input<z.ZodMiniObject<typeof database>>;
export type RoleSecretsEnvironment = z.input<z.ZodMiniObject<typeof roleSecrets>>;
export type RotateEnvironment = z.input<ReturnType<typeof rotateEnvironment>>;
export type IngestEnvironment = z.input<ReturnType<typeof ingestEnvironment>>;
export type ConsumeEnvironment = z.input<ReturnType<typeof consumeEnvironment>>;
export type DrainEnvironment = z.input<ReturnType<typeof drainEnvironment>>;
export type AccessEnvironment = z.input<ReturnType<typeof accessEnvironment>>;
export type QueryEnvironment = z.input<ReturnType<typeof queryEnvironment>>;
export type ExportEnvironment = z.input<ReturnType<typeof exportEnvironment>>;
export type ReplayEnvironment = z.input<ReturnType<typeof replayEnvironment>>;
export type NotifyEnvironment = z.input<ReturnType<typeof notifyEnvironment>>;
export type StatusEnvironment = z.input<ReturnType<typeof statusEnvironment>>;
export type ConsoleEnvironment = Omit<z.input<ReturnType<typeof consoleEnvironment>>, keyof typeof codeFolder>;
export type RetainEnvironment = z.input<ReturnType<typeof retainEnvironment>>;
export type ApiDocsEnvironment = Omit<z.input<ReturnType<typeof apiDocsEnvironment>>, keyof typeof codeFolder>;
export type MigrateEnvironment = Omit<z.input<ReturnType<typeof migrateEnvironment>>, keyof typeof codeFolder>;
