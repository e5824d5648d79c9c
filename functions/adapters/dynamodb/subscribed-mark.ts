import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type { SubscribedMark } from "../../core/subscribed-mark.ts";
import { inTime, isMet } from "./client.ts";
import { STORE_MARK_KEY, SUBSCRIBED } from "./store-mark.ts";

/** A request or a round waits for it, and goes on without it. */
const CALL_MS = 1_000;

/** Whether anybody subscribes, as a member of the item of the mark of stored events. */
export function createSubscribedMark({ client, table }: { client: DynamoDBClient; table: string }): SubscribedMark {
  const item = { TableName: table, Key: STORE_MARK_KEY };
  const names = { ExpressionAttributeNames: { "#subscribed": SUBSCRIBED } };
  const values = (token: string) => ({ ExpressionAttributeValues: { ":token": { S: token } } });
  return {
    async set(token) {
      const command = new UpdateItemCommand({
        ...item,
        ...names,
        ...values(token),
        UpdateExpression: "SET #subscribed = :token",
      });
      await inTime(CALL_MS, (abortSignal) => client.send(command, { abortSignal }));
    },
    async clear(token) {
      const command = new UpdateItemCommand({
        ...item,
        ...names,
        ...values(token),
        UpdateExpression: "REMOVE #subscribed",
        ConditionExpression: "#subscribed = :token",
      });
      await inTime(CALL_MS, (abortSignal) => isMet(client.send(command, { abortSignal })));
    },
    async read() {
      const command = new GetItemCommand({ ...item, ConsistentRead: true });
      const { Item } = await inTime(CALL_MS, (abortSignal) => client.send(command, { abortSignal }));
      return Item?.[SUBSCRIBED]?.S;
    },
  };
}
