/**
 * The keys of the table `status`: numbers that are answered without the database. The CDK app makes the table, and
 * functions/adapters/dynamodb reads and writes it. `pk` and `sk` are texts:
 *
 * | pk | sk | an item |
 * |---|---|---|
 * | `producer` | id of a process of ingest | the numbers of the events it has accepted, by tenant |
 * | `ledger` | tenant, or `*` | the ledger as it was last taken from the database |
 * | `refusals#TENANT` | `DAY#HASH` | a group of refused events of a day |
 * | `history#TENANT`, `history#*` | `counts#TIME` | the counts of the minutes of half an hour |
 * | the same | `refused#TIME` | the refused events of these minutes |
 */
export const STATUS_TABLE = {
  partitionKey: "pk",
  sortKey: "sk",
  /** Seconds since 1970, a number: DynamoDB deletes the item some days later at the latest. */
  expires: "expires",
  producer: "producer",
  ledger: "ledger",
  refusalsOf: (tenant: string) => `refusals#${tenant}`,
  historyOf: (tenant: string) => `history#${tenant}`,
} as const;
