import { randomBytes } from "node:crypto";
import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { USAGE_TABLE } from "../../core/access-tables.ts";
import type { ConsumerStateReader, LagReader, StoreMark, StoreMarker } from "../../core/feed.ts";
import { inTime } from "./client.ts";

/** Of the whole installation: one item is enough, because any store wakes the database anyway. */
export const STORE_MARK_KEY = { [USAGE_TABLE.partitionKey]: { S: USAGE_TABLE.storeMark } };

/** An answer takes milliseconds, and nothing is lost without one. */
const CALL_MS = 500;

/** A query waits for it, and goes on without an answer. */
const LAG_CALL_MS = 300;

/** Two marks of one installation are never equal by chance. */
const MARK_BYTES = 9;

/** The member of the item that is there while anybody subscribes (subscribed-mark.ts). */
export const SUBSCRIBED = "subscribed";

/** The mark before the first store. */
const NO_STORE = "-";

/** Reads the mark of stored events in the table `usage`: strongly, because an old one would hide an event. */
export function createStoreMark({ client, table }: { client: DynamoDBClient; table: string }): StoreMark {
  const command = new GetItemCommand({ TableName: table, Key: STORE_MARK_KEY, ConsistentRead: true });
  return {
    async read() {
      try {
        const { Item } = await inTime(CALL_MS, (abortSignal) => client.send(command, { abortSignal }));
        return Item?.["mark"]?.S ?? NO_STORE;
      } catch {
        return undefined;
      }
    },
  };
}

/** Changes the mark, and writes the lag beside it: one write for both, which says whether anybody subscribes. */
export function createStoreMarker({ client, table }: { client: DynamoDBClient; table: string }): StoreMarker {
  return {
    async change(lag, deadline) {
      const command = new UpdateItemCommand({
        TableName: table,
        Key: STORE_MARK_KEY,
        UpdateExpression: `SET #mark = :mark, storedAt = :now${lag === undefined ? "" : ", lagMs = :lag, lagAt = :at"}`,
        ExpressionAttributeNames: { "#mark": "mark" },
        ExpressionAttributeValues: {
          ":mark": { S: randomBytes(MARK_BYTES).toString("base64url") },
          ":now": { N: String(Date.now()) },
          ...(lag !== undefined && { ":lag": { N: String(lag.lagMs) }, ":at": { N: String(lag.at) } }),
        },
        ReturnValues: "ALL_NEW",
      });
      const call = (abortSignal: AbortSignal) => client.send(command, { abortSignal });
      const { Attributes } = await inTime(deadline - Date.now(), call);
      return { isSubscribed: Attributes?.[SUBSCRIBED] !== undefined };
    },
  };
}

/** Reads the lag beside the mark. Eventually consistent, for half the price: a lag of a second ago is as good. */
export function createLagReader({ client, table }: { client: DynamoDBClient; table: string }): LagReader {
  const command = new GetItemCommand({ TableName: table, Key: STORE_MARK_KEY });
  return {
    async read() {
      try {
        const { Item } = await inTime(LAG_CALL_MS, (abortSignal) => client.send(command, { abortSignal }));
        const [lagMs, at] = [Item?.["lagMs"]?.N, Item?.["lagAt"]?.N];
        return lagMs === undefined || at === undefined ? undefined : { lagMs: Number(lagMs), at: Number(at) };
      } catch {
        return undefined;
      }
    },
  };
}

/** Reads what the consumer wrote beside the mark. Eventually consistent, as the lag alone. */
export function createConsumerState({ client, table }: { client: DynamoDBClient; table: string }): ConsumerStateReader {
  const command = new GetItemCommand({ TableName: table, Key: STORE_MARK_KEY });
  return {
    async read() {
      const { Item } = await inTime(CALL_MS, (abortSignal) => client.send(command, { abortSignal }));
      const [lagMs, lagAt, storedAt] = ["lagMs", "lagAt", "storedAt"].map((name) => numberIn(Item?.[name]?.N));
      return { lag: lagMs === undefined || lagAt === undefined ? undefined : { lagMs, at: lagAt }, storedAt };
    },
  };
}

const numberIn = (text: string | undefined) => (text === undefined ? undefined : Number(text));
