import { type DynamoDBClient, PutItemCommand, QueryCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type { AccessStore, Page, PageRequest } from "../../core/access.ts";
import { ACCESS_TABLE } from "../../core/access-tables.ts";
import { createAccessReader, keyPk, tenantPk, toKey, toTenant } from "./access-reader.ts";
import { answered, isMet } from "./client.ts";
import { type Item, toItem } from "./items.ts";

/** Keeps keys and tenants in the table `access`. */
export function createAccessStore({ client, table }: { client: DynamoDBClient; table: string }): AccessStore {
  const reader = createAccessReader({ client, table });

  const create = (pk: string, listed: Listed, record: object): Promise<boolean> => {
    const item = {
      pk: { S: pk },
      kind: { S: listed.kind },
      sort: { S: listed.sort },
      ...withExpiry(toItem({ ...record })),
    };
    return isMet(
      client.send(
        new PutItemCommand({ TableName: table, Item: item, ConditionExpression: "attribute_not_exists(pk)" }),
      ),
    );
  };

  /** Sets attributes of an item that exists and meets a condition, whose other values are given with it. */
  const set = (pk: string, given: Item, condition = "", values: Item = {}): Promise<boolean> => {
    const changes = withExpiry(given);
    const names = Object.keys(changes);
    return isMet(
      client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: { pk: { S: pk } },
          UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(", ")}`,
          ConditionExpression: `attribute_exists(pk)${condition}`,
          ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
          ExpressionAttributeValues: Object.fromEntries(
            Object.entries({ ...changes, ...values }).map(([name, to]) => [`:${name}`, to]),
          ),
        }),
      ),
    );
  };

  /** Items of one kind in a range of `sort`, both ends included. */
  async function list(kind: Listed["kind"], { from, to }: Range, limit: number): Promise<Page<Item>> {
    // DynamoDB refuses a range that ends before it begins.
    if (from > to) return { items: [], next: undefined };
    const { Items: items = [], LastEvaluatedKey: last } = await answered(
      client.send(
        new QueryCommand({
          TableName: table,
          IndexName: ACCESS_TABLE.listing.name,
          KeyConditionExpression: "#kind = :kind AND #sort BETWEEN :from AND :to",
          ExpressionAttributeNames: { "#kind": "kind", "#sort": "sort" },
          ExpressionAttributeValues: { ":kind": { S: kind }, ":from": { S: from }, ":to": { S: to } },
          Limit: limit,
        }),
      ),
    );
    return { items, next: last?.["sort"]?.S };
  }

  return {
    ...reader,

    createKey: (record) => create(keyPk(record.id), { kind: "key", sort: `${record.tenant}/${record.id}` }, record),

    async revokeKey(id, revokedAt) {
      const condition = " AND (attribute_not_exists(#revokedAt) OR #revokedAt > :revokedAt)";
      if (await set(keyPk(id), toItem({ revokedAt }), condition)) return true;
      // An earlier time is kept, or there is no such key.
      return (await reader.key(id)) !== undefined;
    },

    replaceKey: (id, { replacedBy, at, end }) =>
      set(keyPk(id), toItem({ ...end, replacedBy }), REPLACEABLE, toItem({ at })),

    async listKeys(tenant, page) {
      // "/" is followed by "0".
      const range = tenant === undefined ? EVERYTHING : { from: `${tenant}/`, to: `${tenant}0` };
      return mapPage(await list("key", after(range, page), page.limit), toKey);
    },

    createTenant: (record) => create(tenantPk(record.tenant), { kind: "tenant", sort: record.tenant }, record),
    changeTenant: (name, changes) => set(tenantPk(name), toItem(changes)),
    async listTenants(page) {
      return mapPage(await list("tenant", after(EVERYTHING, page), page.limit), toTenant);
    },
  };
}

/**
 * A key that may be replaced. The SDK repeats a call whose answer was lost, so a key that this very change has replaced
 * may be too.
 */
const REPLACEABLE =
  " AND (#replacedBy = :replacedBy OR (attribute_not_exists(#replacedBy) AND attribute_not_exists(revokedAt)" +
  " AND (attribute_not_exists(expiresAt) OR expiresAt > :at)))";

/** Adds to attributes that end a key the time from which its item may be deleted; after it the key is unknown. */
function withExpiry(item: Item): Item {
  const end = item["revokedAt"]?.S ?? item["expiresAt"]?.S;
  if (end === undefined) return item;
  const seconds = Math.ceil(Date.parse(end) / 1_000) + ENDED_KEPT_DAYS * DAY_SECONDS;
  return { ...item, [ACCESS_TABLE.expires]: { N: String(seconds) } };
}

/** An ended key stays listed for so long, so that it can be looked up what it was. */
const ENDED_KEPT_DAYS = 90;
const DAY_SECONDS = 86_400;

type Listed = { kind: "key" | "tenant"; sort: string };
type Range = { from: string; to: string };

/** Before and behind every `sort`, whose characters are `*`, `-`, `.`, `/`, `_`, digits and Latin characters. */
const EVERYTHING: Range = { from: "!", to: "~" };

/** The part of a range behind a `sort`: "!" comes before every character that may follow it. */
function after({ from, to }: Range, page: PageRequest): Range {
  const begin = page.after === undefined ? from : `${page.after}!`;
  return { from: begin > from ? begin : from, to };
}

function mapPage<Kept>({ items, next }: Page<Item>, toRecord: (item: Item) => Kept | undefined): Page<Kept> {
  return { items: items.flatMap((item) => toRecord(item) ?? []), next };
}
