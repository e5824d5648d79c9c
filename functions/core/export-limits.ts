import { KIB, MIB } from "./limits.ts";

/** The limits of exports. */

/** Days until S3 deletes the files of an export. A copy of events outside the database should not live long. */
export const EXPORT_KEPT_DAYS = 7;

/** Days for which a finished job can be looked up; longer than its files, so that a missing file is explained. */
export const EXPORT_JOB_KEPT_DAYS = 30;

/** A part, compressed; every tool can hold so much, and a network that fails loses no more. */
export const EXPORT_PART_MAX_BYTES = 128 * MIB;

/**
 * One call of an upload: so much of a part is in memory. S3 takes pieces from 5 MiB on, but for the last.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
 */
export const EXPORT_PIECE_BYTES = 8 * MIB;

/** Parts of one export. DynamoDB's item of 400 KB, which has the job, holds twice as many. */
export const EXPORT_MAX_PARTS = 1_500;

/** Events of one page: one call of the database. */
export const EXPORT_PAGE_EVENTS = 1_000;

/** The time for which one step reads before it ends its part; a step that is killed loses no more work. */
export const EXPORT_STEP_MS = 30_000;

/** Kept free at the end of a step to end the upload, write the job and send the message of the next step. */
export const EXPORT_STEP_RESERVE_MS = 15_000;

/** Kept free behind a page that the database does not give in time, to write the job and send the message of another attempt. */
export const EXPORT_RETRY_RESERVE_MS = 2_000;

/** Exports of one tenant that are not finished. Each costs reads of the database and waits for the others. */
export const EXPORT_MAX_UNFINISHED = 5;

/** Steps at once of all tenants; exports leave the database to ingest and queries. It is the least that SQS lets Lambda have. */
export const EXPORT_MAX_CONCURRENCY = 2;

/** Hours without a new row or page after which an export fails: it waits out an outage of a night. */
export const EXPORT_NO_PROGRESS_HOURS = 24;

/** The wait before a failed step is tried again doubles from the first to the longest. SQS delays a message for 900 s at most. */
export const EXPORT_RETRY_FIRST_SECONDS = 10;
export const EXPORT_RETRY_MAX_SECONDS = 600;

/** The first step waits until its job is written. */
export const EXPORT_START_DELAY_SECONDS = 1;

/** The life of a link: enough to begin a download. A new answer has new links. */
export const EXPORT_LINK_SECONDS = 900;

/** Parts, with their links of up to 2 KB, in one answer. */
export const EXPORT_ANSWER_PARTS = 200;

/** Jobs in one answer. */
export const EXPORT_PAGE_JOBS = 100;

/** A body of a request; a filter has its own bounds below this. */
export const EXPORT_BODY_MAX_BYTES = 128 * KIB;

/** Events that a plan shows. */
export const EXPORT_SAMPLE_EVENTS = 5;

/** The time for an answer, below API Gateway's 29 s; a step of the same function has longer. */
export const EXPORT_ANSWER_MS = 25_000;
