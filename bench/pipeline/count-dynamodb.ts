import type { Exchange } from "./front.ts";
import type { Operations } from "./operations.ts";

/**
 * Counts a call of DynamoDB, which bills a read of at most 4 KB and a write of at most 1 KB as one unit, an eventually consistent
 * read as half, and a write whose condition fails as a write. The items of keys, leases and the mark are below both sizes.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
 */
export function countDynamodbCall(dynamodb: Operations["dynamodb"], { headers, request }: Exchange): void {
  const action = String(headers["x-amz-target"]).replace(/^.*\./, "");
  const units = UNITS[action];
  if (units === "write") dynamodb.writes += 1;
  if (units === "read") dynamodb.reads += isStrong(request) ? 1 : EVENTUAL;
}

/** The calls of ingest and consume; those of commands and other functions are not counted. */
const UNITS: Partial<Record<string, "read" | "write">> = { GetItem: "read", PutItem: "write", UpdateItem: "write" };

const EVENTUAL = 0.5;

const isStrong = (request: Buffer): boolean =>
  (JSON.parse(request.toString("utf8")) as { ConsistentRead?: boolean }).ConsistentRead === true;
