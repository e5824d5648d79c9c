/** The keys of the table of jobs. The CDK app makes the table, and functions/adapters/dynamodb reads and writes it. */

/** One item a job. `id` begins with the time of the start, so that a tenant's jobs are in its order. */
export const JOBS_TABLE = {
  partitionKey: "tenant",
  sortKey: "id",
  /** Seconds since 1970, a number: DynamoDB deletes the item some days later at the latest. */
  expires: "expires",
} as const;
