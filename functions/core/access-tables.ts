/** The keys of the tables of access. The CDK app makes the tables, and functions/adapters/dynamodb reads and writes them. */

/** Keys and tenants; codes and sessions of the operator's page. `pk` is `key#ID`, `tenant#NAME`, `code#HASH` or `session#HASH`. */
export const ACCESS_TABLE = {
  partitionKey: "pk",
  /** The beginnings of `pk` that the function `console` alone writes. */
  codes: "code#",
  sessions: "session#",
  /** For lists: `kind` is `key` or `tenant`, `sort` is `TENANT/ID` or the name of the tenant. */
  listing: { name: "listing", partitionKey: "kind", sortKey: "sort" },
  /** Of a key that has an end, a code and a session; as of USAGE_TABLE. A key whose item is deleted is unknown, which is refused too. */
  expires: "expires",
} as const;

/** The last use of keys, leases of limits, and the mark of stored events. `pk` is `key#ID`, the subject of a lease, or `stored`. */
export const USAGE_TABLE = {
  partitionKey: "pk",
  /** The item of the mark that changes with every store of events. */
  storeMark: "stored",
  /** Seconds since 1970, a number: DynamoDB deletes the item some days later at the latest. */
  expires: "expires",
} as const;

/** The audit log. `number` is a number; 0 is the head of the tenant's chain. */
export const AUDIT_TABLE = { partitionKey: "tenant", sortKey: "number" } as const;
