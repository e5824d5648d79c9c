import type { Disposition } from "./errors.ts";

/** Levels of log lines, from the least important; a function writes those from its own level on. */
export const LOG_LEVELS = ["INFO", "WARN", "ERROR"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * Every log line of the functions: its message, and its fields beside those that name the invocation and the metrics of its
 * end. No field ever has an event's data, a key or a secret.
 */
export type LogLines = {
  /** An HTTP request was answered. */
  request: {
    /** Method and path of the route. */
    route: string;
    status: number;
    durationMs: number;
    requestId: string;
    /** The caller, on a route that asks for a key. */
    tenant: string | undefined;
    keyId: string | undefined;
    requestBytes: number;
    /** Of an answer from 500 on: names, stacks, and the messages of our own errors. */
    error?: unknown;
  };
  /** An invocation for messages of a queue ended. */
  batch: BatchFields & {
    messages: number;
    durationMs: number;
    /** Ids of the traces of the requests that it serves: all, or a sample of 20. */
    traces?: string[];
    /** Of an invocation that failed, as of a request. */
    error?: unknown;
  };
  /** An invocation by a deployment, a schedule or a rotation ended. */
  task: TaskFields & {
    durationMs: number;
    /** Of an invocation that failed, as of a request. */
    error?: unknown;
  };
  /** A schema of the catalog threw: its file, and the error without its message, which may quote an event. */
  "schema failed": { file: string; error: unknown };
  /** The table of the limits did not answer: this process decides alone for a while. */
  "limits not shared": { error: unknown };
  /** The numbers of accepted events could not be written; a later request writes them. */
  "numbers not noted": { error: unknown };
  /** Followers of the feed may wait until the next store. */
  "store not marked": { error: unknown };
  /** The next events are not delivered before the wake-up of another batch. */
  "wake not sent": { code: "unconfirmed" };
  /** Followers of the feed do not see the stored events before another batch changes the mark. */
  "mark not sent": { code: "unconfirmed" };
  /** The ledger is not taken before the request of another batch. */
  "snapshot not sent": { code: "unconfirmed" };
  /** Whether anybody subscribes could not be written or read. */
  "subscriptions not marked": { error: unknown };
  /** A notifier threw: a fault of ours. The delivery is tried again. */
  "notifier failed": { error: unknown };
  /** The receiver of OTLP did not take spans. */
  "spans not sent": { count: number; code: string };
  "queue refused a message": { code: string | undefined; senderFault: boolean | undefined };
  "queue did not answer": { code: string };
  "message not deleted": { code: string | undefined };
  "visibility not changed": { code: string | undefined };
};

/** The result of a batch, as its rule gives it. */
export type BatchFields = {
  /** Messages that are delivered again. */
  failedMessages: number;
  /** The failed messages that went back to the queue as new ones. */
  requeuedMessages: number;
  /** Why messages failed, where the database said why. */
  reason?: string;
  sqlState?: string | undefined;
  disposition?: Disposition;
  /** The step of an export: its job, and what became of it. */
  export?: { tenant?: string; id?: string; outcome: string; rows?: number; reason?: string };
  /** The step of a replay: its job, and what became of it. */
  replay?: {
    id?: string;
    outcome: string;
    sent?: number;
    open?: number;
    unsettled?: number;
    state?: string;
    reason?: string;
  };
  /** The step of a restore: its job, and what became of it. */
  restore?: {
    id: string;
    outcome: string;
    read?: number;
    restored?: number;
    state?: string;
    reason?: string | undefined;
  };
  /** The step of an erasure: its job, and what became of it. */
  erasure?: {
    id: string;
    outcome: string;
    place?: string;
    erased?: number;
    state?: string;
    reason?: string | undefined;
  };
  /** The step of retention: the days that were dropped with their bytes, and those that have to be tried again. */
  retention?: {
    outcome: string;
    dropped?: number;
    bytes?: number;
    postponed?: { class: number; day: string; reason: string }[];
    reason?: string;
  };
  /** The round of a worker. */
  deliveries?: {
    subscriptions: number;
    /** Ids of those whose filter the database could not apply. */
    failing: readonly string[];
    matched: number;
    taken: number;
    delivered: number;
    later: number;
    failed: number;
    /** Notices that were sent: of subscriptions that fail, and that were disabled; and those that the queue did not confirm. */
    warned: number;
    disabled: number;
    unsent: number;
    lagMs: number | undefined;
  };
  /** The request for a snapshot of the ledger: its outcome, and the sums of the snapshot. */
  ledger?: {
    outcome: string;
    tenants?: number;
    written?: number;
    inFlight?: number;
    difference?: number;
    reason?: string;
  };
  /** Messages of the queue of `status` that nobody can read. */
  unreadable?: number;
  /** Refusals in messages of ingest. */
  refusals?: number;
  /** The first events whose key is stored with other content. */
  conflicts?: { tenant: string; source: string; eventId: string }[];
};

/** The result of a task. */
export type TaskFields = {
  /** Names of the migrations that were applied. */
  applied?: string[];
  /** Number of partitions that were created. */
  partitionsMade?: number;
  /** Numbers of measures and of indexed fields of the catalog that were declared or dropped. */
  measuresChanged?: number;
  indexedChanged?: number;
  /** Parts of deltas that were merged into rollups. */
  deltasMerged?: number;
  /** Hours of yesterday whose rollups were compared with the events. */
  rollupHoursChecked?: number;
  /** The first differences: the hour, and a field in the data, or an empty text for the number of events. */
  rollupDifferences?: { from: string; to: string; tenant: string; type: string; field: string }[];
  /** The reason of the database for which the rollups were not merged or compared. */
  rollupFault?: string;
  /** Closed dead letters that were deleted. */
  deadLettersDeleted?: number;
  /** Partitions of attempts that were made, and that were dropped. */
  attemptPartitionsMade?: number;
  attemptPartitionsDropped?: number;
  /** Finished deliveries that were deleted, with those of removed subscriptions. */
  deliveriesDeleted?: number;
  /** The reason of the database for which the upkeep of deliveries ended early. */
  deliveriesFault?: string;
  /** Days without tables among those ahead; and days by which the oldest day is late to be dropped, and to be archived. */
  partitionDaysMissing?: number;
  retentionDaysBehind?: number;
  archiveDaysBehind?: number;
  /** The id of the key that was made. */
  keyId?: string;
  /** Users of the database whose passwords were set. */
  passwordsSet?: string[];
  /** Step of a rotation. */
  step?: string;
  /** The user of the database that the step was about. */
  databaseUser?: string;
  /** Whether the Data API was seen to log in with the value that the rotation made current. */
  loginSeen?: boolean;
};
