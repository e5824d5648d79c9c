import { type DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { type AccessReader, keyRecord, tenantRecord } from "../../core/access.ts";
import { type SessionReader, sessionRecord } from "../../core/session.ts";
import { ACCESS_TABLE } from "../../core/access-tables.ts";
import { inTime } from "./client.ts";
import { fromItem, type Item } from "./items.ts";

/** Both attempts of a read and their pause. */
const READ_MS = 2_500;

/** Reads keys, tenants and sessions from the table `access`, each by one strongly consistent read. */
export function createAccessReader({
  client,
  table,
}: {
  client: DynamoDBClient;
  table: string;
}): AccessReader & SessionReader {
  const get = async (pk: string) => {
    const key = { pk: { S: pk } };
    const command = new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true });
    const { Item: item } = await inTime(READ_MS, (abortSignal) => client.send(command, { abortSignal }));
    return item;
  };
  return {
    key: async (id) => toKey(await get(keyPk(id))),
    tenant: async (name) => toTenant(await get(tenantPk(name))),
    session: async (hash) => fromItem(await get(sessionPk(hash)), sessionRecord, []),
  };
}

export const keyPk = (id: string): string => `key#${id}`;
export const sessionPk = (hash: string): string => `${ACCESS_TABLE.sessions}${hash}`;
export const tenantPk = (name: string): string => `tenant#${name}`;

/** The members of a record that are no text. */
const JSON_MEMBERS = ["types", "sources", "limits"];

export const toKey = (item: Item | undefined) => fromItem(item, keyRecord, JSON_MEMBERS);
export const toTenant = (item: Item | undefined) => fromItem(item, tenantRecord, JSON_MEMBERS);
