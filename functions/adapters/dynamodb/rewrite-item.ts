import { type DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { AccessError } from "../../core/access.ts";
import { answered, isMet } from "./client.ts";
import type { Item } from "./items.ts";

/** Writes of one item that met another writer before they give up; a caller then tries again later. */
const WRITE_ATTEMPTS = 20;

/** Counts the writes of an item. */
const VERSION = "version";

/** Items that are read and then written, on the condition that they are as they were read. */
export function createRewritableItems({ client, table }: { client: DynamoDBClient; table: string }) {
  const read = async (key: Item): Promise<Item | undefined> =>
    (await answered(client.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true })))).Item;

  const put = (item: Item, before: Item | undefined): Promise<boolean> =>
    isMet(
      client.send(
        new PutItemCommand({
          TableName: table,
          Item: { ...item, [VERSION]: { S: String(versionOf(before) + 1) } },
          ConditionExpression: before === undefined ? "attribute_not_exists(#version)" : "#version = :version",
          ExpressionAttributeNames: { "#version": VERSION },
          ...(before !== undefined && { ExpressionAttributeValues: { ":version": { S: String(versionOf(before)) } } }),
        }),
      ),
    );

  return {
    /** @throws AccessError */
    read,
    /** Reads and writes an item until no other writer comes between. Without a change nothing is written. @throws AccessError */
    async rewrite(key: Item, change: (before: Item | undefined) => Item | undefined): Promise<void> {
      for (let attempt = 1; attempt <= WRITE_ATTEMPTS; attempt++) {
        const before = await read(key);
        const after = change(before);
        if (after === undefined || (await put({ ...after, ...key }, before))) return;
      }
      throw new AccessError(`An item of the table ${table} had another writer ${WRITE_ATTEMPTS} times.`);
    },
  };
}

const versionOf = (item: Item | undefined): number => Number(item?.[VERSION]?.S ?? 0);
