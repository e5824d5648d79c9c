import { BatchGetItemCommand, type DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type { KeyUsage } from "../../core/access.ts";
import { USAGE_TABLE } from "../../core/access-tables.ts";
import { answered, isMet } from "./client.ts";
import { keyPk } from "./access-reader.ts";
import type { Item } from "./items.ts";

/** The request waits for this write, whose loss is harmless. */
const WRITE_MS = 1_000;

/** A key that was not used for so long has no last day. */
const KEPT_DAYS = 366;
const DAY_SECONDS = 86_400;

/** DynamoDB's own limit of one call. */
const BATCH_KEYS = 100;

/** Keeps the days on which keys were used in the table `usage`. */
export function createKeyUsage(deps: { client: DynamoDBClient; table: string }): KeyUsage {
  return { ...createKeyUsageWriter(deps), lastUsed: createLastUsed(deps) };
}

/** The part that functions need which only check keys. */
export function createKeyUsageWriter({
  client,
  table,
}: {
  client: DynamoDBClient;
  table: string;
}): Pick<KeyUsage, "used"> {
  return {
    async used(keyId, day) {
      const expires = Date.parse(day) / 1_000 + KEPT_DAYS * DAY_SECONDS;
      const command = new UpdateItemCommand({
        TableName: table,
        Key: { pk: { S: keyPk(keyId) } },
        UpdateExpression: "SET #day = :day, #expires = :expires",
        // Another process may have written this day, or one whose clock is ahead the next one.
        ConditionExpression: "attribute_not_exists(#day) OR #day < :day",
        ExpressionAttributeNames: { "#day": "day", "#expires": USAGE_TABLE.expires },
        ExpressionAttributeValues: { ":day": { S: day }, ":expires": { N: String(expires) } },
      });
      await isMet(client.send(command, { abortSignal: AbortSignal.timeout(WRITE_MS) })).catch(() => false);
    },
  };
}

function createLastUsed({ client, table }: { client: DynamoDBClient; table: string }): KeyUsage["lastUsed"] {
  return async (keyIds) => {
    const days = new Map<string, string>();
    let open: Item[] = [...new Set(keyIds)].map((id) => ({ pk: { S: keyPk(id) } }));
    while (open.length > 0) {
      const request = { [table]: { Keys: open.slice(0, BATCH_KEYS) } };
      const { Responses: found, UnprocessedKeys: left } = await answered(
        client.send(new BatchGetItemCommand({ RequestItems: request })),
      );
      for (const { pk, day } of found?.[table] ?? []) {
        if (pk?.S !== undefined && day?.S !== undefined) days.set(pk.S.slice(keyPk("").length), day.S);
      }
      open = [...(left?.[table]?.Keys ?? []), ...open.slice(BATCH_KEYS)];
    }
    return days;
  };
}
