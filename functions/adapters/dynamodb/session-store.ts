import { DeleteItemCommand, type DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { ACCESS_TABLE } from "../../core/access-tables.ts";
import { codeRecord, type SessionStore } from "../../core/session.ts";
import { sessionPk } from "./access-reader.ts";
import { answered } from "./client.ts";
import { fromItem, toItem } from "./items.ts";

/** Keeps codes and sessions in the table `access`, beside the keys, because every function that checks keys reads it. */
export function createSessionStore({ client, table }: { client: DynamoDBClient; table: string }): SessionStore {
  const put = async (pk: string, record: { expiresAt: string }): Promise<void> => {
    const expires = { N: String(Math.ceil(Date.parse(record.expiresAt) / 1_000)) };
    const item = { pk: { S: pk }, ...toItem(record), [ACCESS_TABLE.expires]: expires };
    await answered(client.send(new PutItemCommand({ TableName: table, Item: item })));
  };
  /** Deletes an item and returns it. A call that the SDK repeats returns nothing: then the code is used up. */
  const take = async (pk: string) => {
    const command = new DeleteItemCommand({ TableName: table, Key: { pk: { S: pk } }, ReturnValues: "ALL_OLD" });
    return (await answered(client.send(command))).Attributes;
  };
  return {
    createCode: (hash, record) => put(codePk(hash), record),
    takeCode: async (hash) => fromItem(await take(codePk(hash)), codeRecord, []),
    createSession: (hash, record) => put(sessionPk(hash), record),
    async endSession(hash) {
      await take(sessionPk(hash));
    },
  };
}

const codePk = (hash: string): string => `${ACCESS_TABLE.codes}${hash}`;
